"""MariaDB and RabbitMQ: one server of each carries all regions.

SQLite will not do: Neutron's migrations fail on it, and Nova and Neutron run into
locks. Each region has databases and a virtual host of its own, so a region sees
nothing of another. RabbitMQ reads users and virtual hosts when it boots, which saves
the slow `rabbitmqctl`; its name server (epmd) would turn itself into a daemon that
outlives us, so it runs as a process of the lab like any other.
"""

import base64
import getpass
import hashlib
import json
import os
import socket
import subprocess
from pathlib import Path

from lab.configuration import (
    BROKER_PASSWORD,
    BROKER_USER,
    DATABASE_PASSWORD,
    DATABASE_USER,
    render,
)
from lab.errors import LabError
from lab.install import RABBITMQ_SERVER, program
from lab.layout import (
    ALL_REGIONS,
    DISTRIBUTION_OFFSET,
    EPMD_OFFSET,
    HOST,
    Lab,
)
from lab.processes import Command, Processes
from lab.services import environment

MARIADB, EPMD, RABBITMQ = "mariadb", "epmd", "rabbitmq"
NAMES = (MARIADB, EPMD, RABBITMQ)
EMULATOR = (
    "+sbwt none +sbwtdcpu none +sbwtdio none +S 2:2 -start_epmd false"
    " -kernel inet_dist_use_interface {127,0,0,1}"
)


def start(lab: Lab, processes: Processes) -> None:
    """Start all three without waiting for them."""
    processes.start(_mariadb(lab))
    processes.start(_epmd(lab))
    processes.start(_rabbitmq(lab))


def wait_for_mariadb(lab: Lab, processes: Processes) -> None:
    """Wait until MariaDB takes statements, and let the services in."""

    def answers() -> bool:
        return _client(lab, "SELECT 1").returncode == 0

    processes.wait_until(answers, "starting MariaDB", [MARIADB], timeout=60)
    account = f"'{DATABASE_USER}'@'{HOST}'"
    execute(
        lab,
        f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{DATABASE_PASSWORD}';"
        f"GRANT ALL ON *.* TO {account};",
    )


def wait_for_rabbitmq(lab: Lab, processes: Processes) -> None:
    """Wait until RabbitMQ accepts connections."""
    processes.wait_until(
        lambda: listens(lab.rabbitmq_port),
        "starting RabbitMQ",
        [RABBITMQ, EPMD],
        timeout=90,
    )


def execute(lab: Lab, statements: str, database: str = "") -> str:
    """Run SQL as the administrator; answer what it printed, tab-separated."""
    result = _client(lab, statements, database)
    if result.returncode:
        message = f"MariaDB refused a statement: {result.stderr.strip()}"
        raise LabError(message)
    return result.stdout


def client_command(lab: Lab, *arguments: str) -> list[str]:
    """How to call one of MariaDB's client programs for the lab's server."""
    name, *rest = arguments
    user = f"--user={getpass.getuser()}"
    return [program(name), "--no-defaults", f"--socket={lab.mariadb_socket}", user, *rest]


def _client(lab: Lab, statements: str, database: str = "") -> subprocess.CompletedProcess[str]:
    command = client_command(lab, "mariadb", "--batch", "--skip-column-names")
    command += [database] if database else []
    return subprocess.run(command, input=statements, text=True, capture_output=True, check=False)


def listens(port: int) -> bool:
    """Whether something accepts connections on a port of the loopback interface."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _mariadb(lab: Lab) -> Command:
    folder = lab.mariadb_socket.parent
    settings = folder / "mariadb.cnf"
    values = {
        "folder": str(folder),
        "mariadb_socket": str(lab.mariadb_socket),
        "mariadb_port": str(lab.mariadb_port),
    }
    render("mariadb.cnf", settings, values)
    if not (folder / "data/mysql").exists():
        _create_data_folder(lab, settings)
    arguments = [program("mariadbd"), f"--defaults-file={settings}"]
    arguments += ["--user=root"] if os.geteuid() == 0 else []
    return Command(MARIADB, tuple(arguments), environment(lab))


def _create_data_folder(lab: Lab, settings: Path) -> None:
    user = getpass.getuser()
    command = [
        program("mariadb-install-db"),
        f"--defaults-file={settings}",
        f"--user={user}",
        f"--auth-root-socket-user={user}",
        "--auth-root-authentication-method=socket",
        "--skip-test-db",
    ]
    lab.logs.mkdir(parents=True, exist_ok=True)
    log = lab.logs / "mariadb-install-db.log"
    with log.open("a") as stream:
        result = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        message = f"mariadb-install-db failed; look into {log}"
        raise LabError(message)


def _epmd(lab: Lab) -> Command:
    port = str(lab.base_port + EPMD_OFFSET)
    arguments = (program("epmd"), "-port", port, "-address", HOST)
    return Command(EPMD, arguments, environment(lab))


def _rabbitmq(lab: Lab) -> Command:
    folder = lab.state / "rabbitmq"
    values = {"folder": str(folder), "rabbitmq_port": str(lab.rabbitmq_port)}
    render("rabbitmq.conf", folder / "rabbitmq.conf", values)
    (folder / "definitions.json").write_text(json.dumps(_definitions()))
    (folder / "enabled_plugins").write_text("[].\n")
    variables = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": "lab@localhost",
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_LOG_BASE": str(lab.logs),
        "RABBITMQ_LOGS": str(lab.logs / "rabbitmq-node.log"),
        "RABBITMQ_DIST_PORT": str(lab.base_port + DISTRIBUTION_OFFSET),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": EMULATOR,
        "ERL_CRASH_DUMP": str(lab.logs / "rabbitmq-crash.dump"),
        "ERL_EPMD_ADDRESS": HOST,
        "ERL_EPMD_PORT": str(lab.base_port + EPMD_OFFSET),
    }
    return Command(RABBITMQ, (RABBITMQ_SERVER,), environment(lab, **variables))


def _definitions() -> dict[str, list[dict[str, str]]]:
    """Users and virtual hosts, for every region the lab could ever have."""
    hosts = [region.slug for region in ALL_REGIONS]
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    salt = b"\x4c\x41\x42\x21"
    digest = hashlib.sha256(salt + BROKER_PASSWORD.encode()).digest()
    user = {
        "name": BROKER_USER,
        "tags": "",
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "password_hash": base64.b64encode(salt + digest).decode(),
    }
    return {
        "users": [user],
        "vhosts": [{"name": host} for host in hosts],
        "permissions": [{"user": BROKER_USER, "vhost": host, **everything} for host in hosts],
    }
