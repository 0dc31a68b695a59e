"""Installing what the lab runs: Debian's servers and the OpenStack services.

Nothing is done twice. Debian packages are asked for only if a program is missing. The virtual
environment carries two stamps, one with a digest of the versions in `requirements/lab.txt` and one
with that of our drivers, and is brought up to date when a digest differs.

Debian starts a server as soon as it is installed, which the lab does not want: its MariaDB and
RabbitMQ run from folders of their own. Debian's way to say so is /usr/sbin/policy-rc.d; we put
one there for the time of the installation unless the machine has its own. A server that runs
already is not touched.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lab.console import Progress
from lab.errors import LabError
from lab.layout import REPOSITORY, Lab

LOCK = REPOSITORY / "requirements" / "lab.txt"
DRIVERS = Path(__file__).parent / "drivers"
TOOLS = REPOSITORY / ".tools"
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
RABBITMQ_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
PROGRAMS = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "mariadb-dump": "mariadb-server",
    "epmd": "rabbitmq-server",
    RABBITMQ_SERVER: "rabbitmq-server",
    "qemu-img": "qemu-utils",
}
POLICY = Path("/usr/sbin/policy-rc.d")
APT_LISTS = Path("/var/lib/apt/lists")
APT_LISTS_SECONDS = 7 * 86400


def find_program(name: str) -> str | None:
    """The path of a Debian program; the system folders need not be in PATH."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *SBIN)))


def program(name: str) -> str:
    """The path of a program that must be there."""
    found = find_program(name)
    if found is None:
        raise LabError(f"{name} is not installed: run `python -m lab install`")
    return found


def ensure(lab: Lab, progress: Progress) -> None:
    """Install what is missing or out of date."""
    missing = sorted({package for name, package in PROGRAMS.items() if not find_program(name)})
    if missing:
        progress.say(f"installing Debian packages: {', '.join(missing)}")
        _install_packages(missing)
    if not _is_current(lab, "services", versions()):
        progress.say(f"installing the OpenStack services into {lab.venv}")
        _install_services(lab)
        progress.say("compiling them to bytecode")
        _compile(lab)
        _stamp(lab, "services", versions())
    if not _is_current(lab, "drivers", _drivers()):
        progress.say("installing the lab's drivers")
        _install_drivers(lab)
        _stamp(lab, "drivers", _drivers())


# Debian packages


def _install_packages(packages: list[str]) -> None:
    prefix = _root_prefix()
    environment = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    apt = [*environment, "apt-get", "-o", "DPkg::Lock::Timeout=300", "-q"]
    if _lists_are_old():
        _must_run([*apt, "update"])
    with _no_daemons(prefix):
        _must_run([*apt, "install", "-y", "--no-install-recommends", *packages])


def _root_prefix() -> list[str]:
    """What makes a command run as root: nothing, or sudo without a question."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    wanted = " ".join(sorted(set(PROGRAMS.values())))
    raise LabError(
        f"Debian packages are missing and this user may not install them: as root, run"
        f" `apt-get install --no-install-recommends {wanted}`"
    )


def _lists_are_old() -> bool:
    newest = max((path.stat().st_mtime for path in APT_LISTS.glob("*_Packages*")), default=0.0)
    return time.time() - newest > APT_LISTS_SECONDS


@contextlib.contextmanager
def _no_daemons(prefix: list[str]) -> Iterator[None]:
    """Keep Debian from starting servers, unless the machine has a policy already."""
    if POLICY.exists():
        yield
        return
    with tempfile.NamedTemporaryFile("w", prefix="policy-rc.d-") as draft:
        draft.write("#!/bin/sh\nexit 101\n")
        draft.flush()
        _must_run([*prefix, "install", "-m", "755", draft.name, str(POLICY)])
    try:
        yield
    finally:
        _must_run([*prefix, "rm", "-f", str(POLICY)])


# The virtual environment


def _install_services(lab: Lab) -> None:
    uv = _uv()
    lab.root.mkdir(parents=True, exist_ok=True)
    if not (lab.bin / "python").exists():
        _must_run([uv, "venv", "--quiet", "--python", _base_python(), str(lab.venv)], lab)
    arguments = ["--quiet", "--python", str(lab.bin / "python"), "--require-hashes", str(LOCK)]
    _must_run([uv, "pip", "sync", *arguments], lab)
    (lab.venv / "drivers.stamp").unlink(missing_ok=True)


def _base_python() -> str:
    """The interpreter underneath the environment that runs us."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix) / "bin" / version
    return str(base) if base.exists() else sys.executable


def _compile(lab: Lab) -> None:
    """Compile everything but tests; a few templates are not Python and fail."""
    python = str(lab.bin / "python")
    skip = r"/tests/"
    command = [python, "-m", "compileall", "-q", "-j", "0", "-x", skip, str(lab.venv / "lib")]
    subprocess.run(command, env=_environment(lab), capture_output=True, check=False)


def _install_drivers(lab: Lab) -> None:
    """Build the drivers from a copy: setuptools writes into the folder it builds from."""
    with tempfile.TemporaryDirectory(prefix="multisite-lab-drivers-") as folder:
        copy = shutil.copytree(DRIVERS, Path(folder) / "drivers")
        python = str(lab.bin / "python")
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--reinstall", "--compile-bytecode"]
        _must_run([_uv(), "pip", "install", *options, "--python", python, str(copy)], lab)


def _uv() -> str:
    path = TOOLS / "bin" / "uv"
    if not path.exists():
        _must_run([sys.executable, "-m", "venv", str(TOOLS)])
        pip = [str(TOOLS / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "uv"]
        _must_run(pip)
    return str(path)


def _environment(lab: Lab) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    cache = str(lab.cache / "uv")
    return environment | {"UV_CACHE_DIR": cache, "UV_PYTHON_DOWNLOADS": "never"}


def _must_run(command: list[str], lab: Lab | None = None) -> None:
    """Run an installation command; what it wrote is shown only if it fails."""
    result = subprocess.run(
        command,
        env=_environment(lab) if lab else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        end = "\n".join(result.stdout.splitlines()[-15:])
        raise LabError(f"`{' '.join(command)}` failed:\n{end}")


# Stamps


def versions() -> str:
    """What tells one set of locked versions from another, and one Python from another."""
    lines = LOCK.read_text().splitlines()
    locked = [line.split()[0] for line in lines if "==" in line and not line.lstrip().startswith("#")]
    return _digest(sys.version, *locked)


def _drivers() -> str:
    files = (path for path in DRIVERS.rglob("*") if path.suffix in {".py", ".toml"})
    return _digest(*(path.read_text() for path in sorted(files)))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _is_current(lab: Lab, name: str, digest: str) -> bool:
    stamp = lab.venv / f"{name}.stamp"
    return stamp.exists() and stamp.read_text() == digest


def _stamp(lab: Lab, name: str, digest: str) -> None:
    (lab.venv / f"{name}.stamp").write_text(digest)
