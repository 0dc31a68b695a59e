"""A private PostgreSQL for tests: Debian's programs, a cluster in a folder of its own, nothing shared.

It does not sync to the disk (nobody needs what it holds), listens on loopback only, and orders text as
English does, so that a query which forgets to ask for another order is found out. It refuses to run as root,
so then it runs as another user; it ends with the process that started it, however that ends.

MULTISITE_TEST_POSTGRESQL (`postgresql://USER@HOST:PORT/NAME`, a role that may create databases) names a
server to use instead. Where there is none at all, tests that want one are skipped; with
MULTISITE_REQUIRE_POSTGRESQL=1, as in CI, they fail.
"""

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from multisite.db import schema
from multisite.db.engine import parse_url
from multisite.engine import durable

START_SECONDS = 60
_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "300",
    "listen_addresses": "127.0.0.1",
}


class NoPostgresql(Exception):
    """There is no PostgreSQL here; the sentence says what is missing."""


class Server:
    """A server with databases that come and go."""

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        self._numbers = itertools.count(1)
        self._made: set[str] = set()
        self._template: str | None = None

    def empty(self) -> str:
        """A new database without tables; its URL."""
        return self._create("template0")

    def upgraded(self) -> str:
        """A new database with all tables and no rows; its URL. Migrating once is enough."""
        if self._template is None:
            url = self.empty()
            schema.upgrade(url)
            durable.migrate(url)
            self._template = str(parse_url(url).database)
        return self._create(self._template)

    def drop(self, url: str) -> None:
        """Remove a database, whoever still has it open."""
        name = str(parse_url(url).database)
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.discard(name)

    def drop_all(self) -> None:
        """Remove every database that was made."""
        for name in list(self._made):
            self.drop(self._address(name))

    def run(self, statement: str) -> None:
        """Run a statement outside of the databases of tests."""
        with psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _create(self, template: str) -> str:
        name = f"multisite_{os.getpid()}_{next(self._numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self._made.add(name)
        return self._address(name)

    def _address(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)


class Cluster(Server):
    """A server of our own, which can be stopped and started."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]
        where = ["-D", str(self._folder / "data"), "-k", str(self._folder), "-p", str(self._port)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_as_somebody(), "--pdeathsig", "QUIT", str(_programs() / "postgres"), *where, *options],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        _until(self._answers, "PostgreSQL did not start", self._folder / "log")

    def stop(self) -> None:
        """Stop the server, and cut off whoever uses it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self._folder / "log").read_text())
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running server of our own, as long as the block lasts. Raises `NoPostgresql`."""
    initdb = _programs() / "initdb"
    folder = Path(tempfile.mkdtemp(prefix="multisite-postgresql-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _somebody())
        locale = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"]
        subprocess.run(
            [*_as_somebody(), str(initdb), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust",
             "--no-sync", *locale],
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        made = Cluster(folder, _free_port())
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server() -> Iterator[Server]:
    """The server that tests share: the one that the environment names, or one of our own."""
    named = os.environ.get("MULTISITE_TEST_POSTGRESQL", "")
    if not named:
        with cluster() as made:
            yield made
        return
    outside = Server(named)
    try:
        yield outside
    finally:
        outside.drop_all()


def do_without(error: NoPostgresql) -> None:
    """Skip a test that wants PostgreSQL where there is none, or fail where there has to be one."""
    if os.environ.get("MULTISITE_REQUIRE_POSTGRESQL"):
        pytest.fail(str(error))
    pytest.skip(str(error))


def _programs() -> Path:
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parents[1].name)
    )
    if found:
        return found[-1].parent
    other = shutil.which("initdb")
    if other is None:
        raise NoPostgresql("PostgreSQL is not installed: apt-get install postgresql")
    return Path(other).parent


def _somebody() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as_somebody() -> list[str]:
    """What makes a program not run as root."""
    if os.geteuid() != 0:
        return ["setpriv"]
    user = pwd.getpwnam(_somebody())
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(wanted: Callable[[], Any], complaint: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not wanted():
        if time.monotonic() > until:
            raise RuntimeError(f"{complaint}: {log.read_text()}")
        time.sleep(0.05)
