"""Writing the configuration files of the services from `lab/templates`.

A template names what varies as `${…}`. A login (`${nova_login}`) stands for all lines
with which a service authenticates, because nova.conf alone repeats them six times.
All passwords are constants: the lab listens on the loopback interface only.
"""

import string
from pathlib import Path

from lab.layout import HOST, Compute, Lab, Region

TEMPLATES = Path(__file__).parent / "templates"
DATABASE_USER = DATABASE_PASSWORD = "lab"
BROKER_USER = BROKER_PASSWORD = "lab"
ADMIN_PASSWORD = "admin-lab"
SERVICE_PASSWORD = "service-lab"
SERVICE_USERS = ("cinder", "glance", "neutron", "nova", "placement")
TOKEN_CHECKS = """\
service_token_roles = service
service_token_roles_required = true
token_cache_time = 60"""

FILES = {
    "placement": ("placement.conf",),
    "glance": ("glance-api.conf",),
    "neutron": ("neutron.conf", "ml2_conf.ini"),
    "nova": ("nova.conf",),
    "cinder": ("cinder.conf",),
}
FOLDERS = {
    "glance": ("images", "staging", "tasks", "lock"),
    "neutron": ("lock",),
    "nova": ("lock",),
    "cinder": ("volumes", "conversion", "coordination", "backup", "lock"),
}


def database_url(lab: Lab, name: str = "") -> str:
    """The address of a database for SQLAlchemy; without a name that of the server."""
    server = f"{DATABASE_USER}:{DATABASE_PASSWORD}@{HOST}:{lab.mariadb_port}"
    url = f"mysql+pymysql://{server}"
    return f"{url}/{name}?charset=utf8" if name else url


def transport_url(lab: Lab, region: Region) -> str:
    """The virtual host of a region for oslo.messaging."""
    server = f"{BROKER_USER}:{BROKER_PASSWORD}@{HOST}:{lab.rabbitmq_port}"
    return f"rabbit://{server}/{region.slug}"


def render(template: str, target: Path, values: dict[str, str]) -> None:
    """Fill in a template; a name without a value is an error of ours."""
    text = (TEMPLATES / template).read_text()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(string.Template(text).substitute(values))


def write_keystone(lab: Lab, owner: Region) -> Path:
    """Write keystone.conf for the Keystone of a region (or the shared one)."""
    folder = lab.folder(owner, "keystone")
    values = {
        "folder": str(folder),
        "database": database_url(lab),
        "keystone_database": lab.keystone_database(owner),
    }
    target = folder / "keystone.conf"
    render("keystone.conf", target, values)
    return target


def write_region(lab: Lab, region: Region) -> None:
    """Write the files of all services of a region, and make their folders."""
    values = _region_values(lab, region)
    for service, files in FILES.items():
        folder = lab.folder(region, service)
        for name in FOLDERS.get(service, ()):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for file in files:
            render(file, folder / file, {**values, "folder": str(folder)})
    for compute in region.computes:
        _write_compute(lab, region, compute)
    # nova-api takes the first of its configuration files as the paste file.
    paste = (lab.venv / "etc/nova/api-paste.ini").read_text()
    (lab.folder(region, "nova") / "api-paste.ini").write_text(paste)


def compute_folder(lab: Lab, region: Region, compute: Compute) -> Path:
    """Where a compute keeps its settings and its identity."""
    return lab.folder(region, "nova") / compute.name


def _write_compute(lab: Lab, region: Region, compute: Compute) -> None:
    folder = compute_folder(lab, region, compute)
    values = {
        "compute": compute.name,
        "compute_folder": str(folder),
        "vcpus": str(compute.vcpus),
        "memory_mb": str(compute.memory_mb),
        "disk_gb": str(compute.disk_gb),
    }
    render("nova-compute.conf", folder / "compute.conf", values)


def _region_values(lab: Lab, region: Region) -> dict[str, str]:
    values = {
        "region": region.name,
        "slug": region.slug,
        "venv": str(lab.venv),
        "database": database_url(lab),
        "transport": transport_url(lab, region),
        "auth_url": lab.auth_url(region),
        "pool_gb": str(region.pool_gb),
        "glance_port": str(lab.port(region, "glance")),
        "cinder_port": str(lab.port(region, "cinder")),
        "token_checks": TOKEN_CHECKS,
        "unified_limits": str(region.unified_limits).lower(),
        "nova_quota": _unified_quota(lab, region),
        "glance_limits": _limits(lab, region, "glance", "image"),
    }
    logins = {f"{user}_login": _login(lab, region, user) for user in SERVICE_USERS}
    return values | logins


def _unified_quota(lab: Lab, region: Region) -> str:
    """The section that makes Nova ask Keystone for its limits, or nothing."""
    driver = "[quota]\ndriver = nova.quota.UnifiedLimitsDriver\n\n"
    return driver + _limits(lab, region, "nova", "compute") if region.unified_limits else ""


def _limits(lab: Lab, region: Region, user: str, kind: str) -> str:
    """How a service finds its own limits in Keystone, or nothing.

    The endpoint that limits hang on is named by service and region: its id is known only when the
    catalog is written, and by then the service may run.
    """
    if not region.unified_limits:
        return ""
    endpoint = {
        "endpoint_service_type": kind,
        "endpoint_region_name": region.name,
        "endpoint_interface": "public",
    }
    lines = "\n".join(f"{key} = {value}" for key, value in endpoint.items())
    return f"[oslo_limit]\n{_login(lab, region, user)}\n{lines}\n\n"


def _login(lab: Lab, region: Region, user: str) -> str:
    settings = {
        "auth_type": "password",
        "auth_url": lab.auth_url(region),
        "www_authenticate_uri": lab.auth_url(region),
        "username": user,
        "password": SERVICE_PASSWORD,
        "user_domain_name": "Default",
        "project_name": "service",
        "project_domain_name": "Default",
        "region_name": region.name,
    }
    return "\n".join(f"{key} = {value}" for key, value in settings.items())
