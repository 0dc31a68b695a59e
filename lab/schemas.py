"""Databases, made from dumps instead of migrations.

To migrate the databases of one region costs about a minute of processor time, and the result is
the same for each region. So a migration runs once; its dump lies in `.lab/cache`, in a folder
named after what it depends on, and every later database is a copy. The dump of Keystone is taken
after its bootstrap. A Keystone must not share identifiers with another, so a copy of that dump
gets fresh ones.

What is complete is noted in the database `lab` after all else: an interrupted copy is simply made
again.
"""

import dataclasses
import hashlib
import re
import subprocess
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from lab import install
from lab.configuration import ADMIN_PASSWORD, TEMPLATES, database_url, transport_url
from lab.errors import LabError
from lab.infrastructure import client_command, execute
from lab.layout import Lab, Region
from lab.services import environment

CELL0 = "00000000-0000-0000-0000-000000000000"
IDENTIFIER = re.compile(r"'[0-9a-f]{32}'")


@dataclasses.dataclass(frozen=True)
class Schema:
    """A database: its name, the dump it is a copy of, and what follows the copy."""

    database: str
    dump: str
    migrations: tuple[tuple[str, ...], ...]
    adapt: Callable[[str], str] = str
    additions: str = ""
    twin: str | None = None
    """A second database with the same content."""


class Databases:
    """Makes the databases that are missing; its methods may be called by several threads."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        execute(
            lab,
            "CREATE DATABASE IF NOT EXISTS lab;"
            "CREATE TABLE IF NOT EXISTS lab.complete (name VARCHAR(64) PRIMARY KEY);",
        )
        self._complete = set(execute(lab, "SELECT name FROM lab.complete").splitlines())

    def is_complete(self, name: str) -> bool:
        """Whether a database, or another step, was complete when this object was made."""
        return name in self._complete

    def set_complete(self, name: str) -> None:
        """Note that a step need not be taken again while this state is kept."""
        execute(self._lab, f"REPLACE INTO lab.complete VALUES ('{name}')")

    def create(self, schema: Schema) -> None:
        """Create a database from its dump; whoever comes first makes the dump."""
        lab, name = self._lab, schema.database
        dump = _folder(lab) / f"{schema.dump}.sql"
        with self._locks[schema.dump]:
            migrate = not dump.exists()
            if migrate:
                _recreate(lab, name)
                for migration in schema.migrations:
                    _run(lab, name, migration)
                _save(lab, name, dump)
        if not migrate:
            _copy(lab, schema.adapt(dump.read_text()), name)
        if schema.twin:
            _copy(lab, schema.adapt(dump.read_text()), schema.twin)
        execute(lab, f"{schema.additions} INSERT INTO lab.complete VALUES ('{name}');", name)


def _recreate(lab: Lab, name: str) -> None:
    execute(lab, f"DROP DATABASE IF EXISTS `{name}`; CREATE DATABASE `{name}`;")


def _copy(lab: Lab, statements: str, name: str) -> None:
    _recreate(lab, name)
    execute(lab, f"SET foreign_key_checks = 0;\n{statements}", name)


def _folder(lab: Lab) -> Path:
    """Dumps belong to one set of versions, and to how Keystone hashes passwords."""
    settings = (TEMPLATES / "keystone.conf").read_text()
    digest = hashlib.sha256((install.versions() + settings).encode())
    return lab.cache / f"schemas-{digest.hexdigest()[:12]}"


def _run(lab: Lab, name: str, command: tuple[str, ...]) -> None:
    lab.logs.mkdir(parents=True, exist_ok=True)
    log = lab.logs / f"migrate-{name}.log"
    with log.open("a") as stream:
        result = subprocess.run(
            [str(lab.bin / command[0]), *command[1:]],
            env=environment(lab),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode:
        message = f"{command[0]} failed for the database {name}; look into {log}"
        raise LabError(message)


def _save(lab: Lab, name: str, dump: Path) -> None:
    dump.parent.mkdir(parents=True, exist_ok=True)
    draft = dump.with_suffix(".new")
    with draft.open("w") as stream:
        command = client_command(lab, "mariadb-dump", name)
        subprocess.run(command, stdout=stream, check=True)
    draft.replace(dump)


def of_keystone(lab: Lab, owner: Region) -> Schema:
    """The database of a Keystone; the dump is taken after the bootstrap."""
    settings = f"--config-file={lab.folder(owner, 'keystone') / 'keystone.conf'}"
    manage = ("keystone-manage", settings)
    return Schema(
        database=lab.keystone_database(owner),
        dump="keystone",
        migrations=(
            (*manage, "db_sync"),
            (*manage, "bootstrap", f"--bootstrap-password={ADMIN_PASSWORD}"),
        ),
        adapt=with_fresh_identifiers,
    )


def with_fresh_identifiers(dump: str) -> str:
    """Replace each 32-digit identifier in a dump, the same one always alike."""
    fresh: dict[str, str] = {}

    def replacement(match: re.Match[str]) -> str:
        return fresh.setdefault(match.group(), f"'{uuid.uuid4().hex}'")

    return IDENTIFIER.sub(replacement, dump)


def of_region(lab: Lab, region: Region) -> tuple[Schema, ...]:
    """The databases of a region; what takes longest to migrate comes first."""

    def settings(service: str, file: str) -> str:
        return f"--config-file={lab.folder(region, service) / file}"

    slug = region.slug
    neutron = settings("neutron", "neutron.conf"), settings("neutron", "ml2_conf.ini")
    nova = ("nova-manage", settings("nova", "nova.conf"))
    cinder = settings("cinder", "cinder.conf")
    glance = settings("glance", "glance-api.conf")
    placement = settings("placement", "placement.conf")
    # Without "--local_cell" the migration would look for cells in a database
    # that is not there yet.
    cell = ((*nova, "db", "sync", "--local_cell"),)
    return (
        Schema(f"{slug}_neutron", "neutron", (("neutron-db-manage", *neutron, "upgrade", "heads"),)),
        Schema(f"{slug}_nova", "nova", cell, twin=f"{slug}_nova_cell0"),
        Schema(
            f"{slug}_nova_api",
            "nova_api",
            ((*nova, "api_db", "sync"),),
            additions=_cell_mappings(lab, region),
        ),
        Schema(f"{slug}_cinder", "cinder", (("cinder-manage", cinder, "db", "sync"),)),
        Schema(f"{slug}_glance", "glance", (("glance-manage", glance, "db_sync"),)),
        Schema(f"{slug}_placement", "placement", (("placement-manage", placement, "db", "sync"),)),
    )


def _cell_mappings(lab: Lab, region: Region) -> str:
    """What `nova-manage cell_v2` would write in several calls of seconds each.

    With its hosts entered too, no scheduler has to look for new ones all the time.
    """
    cells = (
        (CELL0, "cell0", "none:///", database_url(lab, f"{region.slug}_nova_cell0")),
        (
            str(uuid.uuid4()),
            "cell1",
            transport_url(lab, region),
            database_url(lab, f"{region.slug}_nova"),
        ),
    )
    rows = ", ".join(
        f"('{identifier}', '{name}', '{transport}', '{database}', 0)"
        for identifier, name, transport, database in cells
    )
    columns = "uuid, name, transport_url, database_connection, disabled"
    hosts = "".join(
        "INSERT INTO host_mappings (cell_id, host)"
        f" SELECT id, '{compute.name}' FROM cell_mappings WHERE name = 'cell1';"
        for compute in region.computes
    )
    return f"INSERT INTO cell_mappings ({columns}) VALUES {rows};{hosts}"
