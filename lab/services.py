"""The processes of a region: what runs, with which arguments, on which port.

Each API runs under uwsgi in a process of its own. Several in one would
share one global configuration (or break in sub-interpreters). A response closes its
connection: six threads serve an API, and an idle client must not hold one.
Bodies of unknown length need the `chunked` options, or Nova's and Cinder's uploads to
Glance fail.
"""

import dataclasses
import os
from pathlib import Path

from lab.configuration import compute_folder
from lab.install import SBIN
from lab.layout import HOST, Compute, Lab, Region
from lab.processes import Command

UWSGI_OPTIONS = (
    "--processes=1",
    "--threads=6",
    "--enable-threads",
    "--lazy-apps",
    "--need-app",
    "--die-on-term",
    "--disable-logging",
    "--buffer-size=65535",
    "--http-chunked-input",
    "--chunked-input-limit=268435456",
    "--chunked-input-timeout=60",
    "--add-header=Connection: close",
)


@dataclasses.dataclass(frozen=True)
class Service:
    """One process of a region; `port` is that of an API, `probe` a path it answers."""

    name: str
    service: str
    command: Command
    port: int | None = None
    probe: str = "/"

    @property
    def process(self) -> str:
        return self.command.name


def environment(lab: Lab, **extra: str) -> dict[str, str]:
    """The environment of a process of the lab; bytecode may be written."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV"} and not name.startswith("OS_")
    }
    path = os.pathsep.join((str(lab.bin), os.environ.get("PATH", ""), *SBIN))
    return inherited | {"PATH": path, "LANG": "C.UTF-8", "NO_PROXY": HOST, "no_proxy": HOST} | extra


def process_name(region: Region, name: str) -> str:
    return f"{region.name}-{name}"


def keystone(lab: Lab, owner: Region) -> Service:
    """The Keystone of a region; with a shared one, all regions give the same."""
    shared = lab.shares_keystone
    name = "keystone" if shared else process_name(owner, "keystone")
    settings = lab.keystone_folder(owner) / "keystone.conf"
    return _api(
        lab,
        process=name,
        service="keystone",
        module="keystone.wsgi.api",
        port=lab.port(owner, "keystone"),
        variables={"OS_KEYSTONE_CONFIG_FILES": str(settings)},
        probe="/v3",
    )


def of_region(lab: Lab, region: Region) -> tuple[Service, ...]:
    """Every process of a region in the order in which they start."""
    own_keystone = () if lab.shares_keystone else (keystone(lab, region),)
    nova = lab.folder(region, "nova") / "nova.conf"
    cinder = lab.folder(region, "cinder") / "cinder.conf"
    apis = {service: _region_api(lab, region, service) for service in _VARIABLES}
    return (
        *own_keystone,
        apis["placement"],
        _worker(lab, region, "nova-conductor", nova),
        apis["nova"],
        apis["neutron"],
        *(_compute(lab, region, compute) for compute in region.computes),
        _worker(lab, region, "nova-scheduler", nova),
        apis["glance"],
        apis["cinder"],
        _worker(lab, region, "cinder-volume", cinder),
        _worker(lab, region, "cinder-scheduler", cinder),
        _worker(lab, region, "cinder-backup", cinder),
    )


_VARIABLES = {
    "placement": ("placement.wsgi.api", {"OS_PLACEMENT_CONFIG_DIR": "{folder}"}),
    "nova": (
        "nova.wsgi.osapi_compute",
        {
            "OS_NOVA_CONFIG_DIR": "{folder}",
            "OS_NOVA_CONFIG_FILES": "api-paste.ini;nova.conf",
        },
    ),
    "neutron": (
        "neutron.wsgi.api",
        {
            "OS_NEUTRON_CONFIG_DIR": "{folder}",
            "OS_NEUTRON_CONFIG_FILES": "neutron.conf;ml2_conf.ini",
        },
    ),
    "glance": ("glance.wsgi.api", {"OS_GLANCE_CONFIG_DIR": "{folder}"}),
    "cinder": ("cinder.wsgi.api", {}),
}


def _region_api(lab: Lab, region: Region, service: str) -> Service:
    module, variables = _VARIABLES[service]
    folder = lab.folder(region, service)
    filled = {key: value.format(folder=folder) for key, value in variables.items()}
    arguments = ()
    if service == "cinder":
        # Cinder reads no variable; it takes its file from the command line.
        arguments = (f"--pyargv=--config-file {folder / 'cinder.conf'}",)
    return _api(
        lab,
        process=process_name(region, f"{service}-api"),
        service=service,
        module=module,
        port=lab.port(region, service),
        variables=filled,
        arguments=arguments,
    )


def _api(
    lab: Lab,
    *,
    process: str,
    service: str,
    module: str,
    port: int,
    variables: dict[str, str],
    arguments: tuple[str, ...] = (),
    probe: str = "/",
) -> Service:
    command = (
        str(lab.bin / "uwsgi"),
        f"--http-socket={HOST}:{port}",
        f"--module={module}:application",
        *UWSGI_OPTIONS,
        *arguments,
    )
    return Service(
        name=service if service == "keystone" else f"{service}-api",
        service=service,
        command=Command(process, command, environment(lab, **variables)),
        port=port,
        probe=probe,
    )


def _worker(lab: Lab, region: Region, name: str, *settings: Path) -> Service:
    files = [f"--config-file={path}" for path in settings]
    program = "nova-compute" if name.startswith("nova-compute") else name
    command = Command(
        process_name(region, name),
        (str(lab.bin / program), *files),
        environment(lab),
    )
    return Service(name, name.partition("-")[0], command)


def _compute(lab: Lab, region: Region, compute: Compute) -> Service:
    number = compute.name.rpartition("compute")[2]
    return _worker(
        lab,
        region,
        f"nova-compute{number}",
        lab.folder(region, "nova") / "nova.conf",
        compute_folder(lab, region, compute) / "compute.conf",
    )
