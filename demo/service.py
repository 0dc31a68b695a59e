"""multisite itself, running over a cloud: for the demo and for the tests.

Everything that a process of the service needs lies in one folder: configuration, database, key, log. The
commands are the real ones (`multisite db upgrade`, `service register`, `serve`), as an operator runs them.
"""

import dataclasses
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from demo.cloud import Cloud, DemoError

HOST = "127.0.0.1"
PASSWORD = "multisite-demo"
START_SECONDS = 60

_CONFIGURATION = """\
[database]
connection = sqlite:///{folder}/multisite.sqlite

[api]
host = {host}
port = {port}

[regions]
clouds_file = {clouds}

[page]
secret_file = {folder}/page.key

[metrics]
port = {metrics_port}

[keystone_authtoken]
www_authenticate_uri = {auth_url}
auth_type = password
auth_url = {auth_url}
username = multisite
password = {password}
project_name = service
user_domain_name = Default
project_domain_name = Default
"""


@dataclasses.dataclass
class Service:
    """One process of multisite; `settings` is more configuration, `{section: {option: value}}`."""

    cloud: Cloud
    folder: Path
    port: int = 8118
    metrics_port: int = 0
    settings: dict[str, dict[str, object]] = dataclasses.field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def configuration(self) -> Path:
        """Its configuration file."""
        return self.folder / "multisite.conf"

    @property
    def log(self) -> Path:
        """What it had to say."""
        return self.folder / "multisite.log"

    def prepare(self) -> None:
        """Write the configuration, make the database, put the service into the home Keystone."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds passwords
        text = _CONFIGURATION.format(
            folder=self.folder,
            host=HOST,
            port=self.port,
            clouds=self.cloud.clouds_file,
            metrics_port=self.metrics_port,
            auth_url=self.cloud.auth_url,
            password=PASSWORD,
        )
        self.configuration.write_text(text + _more(self.settings))
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        self.run("db", "upgrade")
        self.run(
            *("service", "register", "--credential", self.cloud.operator),
            *("--url", self.url, "--password-file", str(secret)),
        )

    def run(self, *words: str) -> str:
        """Run a command of `multisite` with this configuration; answers what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "multisite", *words, "--config-file", str(self.configuration)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DemoError(f"multisite {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def start(self) -> None:
        """Start `multisite serve` and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "multisite", "serve", "--config-file", str(self.configuration)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={key: value for key, value in os.environ.items() if not key.startswith("OS_")},
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None:
                raise DemoError(f"multisite ended at once: {self.last_words()}")
            if time.monotonic() > deadline:
                raise DemoError(f"multisite did not answer within {START_SECONDS} s; its log: {self.log}")
            time.sleep(0.1)

    def answers(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/v1", timeout=5):
                return True
        except OSError:
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, with SIGKILL if it has to look like a crash; answers its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(timeout=30)
        self.process = None
        return status

    def last_words(self) -> str:
        """The last line of its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _more(settings: dict[str, dict[str, object]]) -> str:
    lines = []
    for section, options in settings.items():
        lines += ["", f"[{section}]", *(f"{name} = {value}" for name, value in options.items())]
    return "\n".join([*lines, ""])
