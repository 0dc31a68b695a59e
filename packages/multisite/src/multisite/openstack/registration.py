"""Puts multisite into the home Keystone: its user, its service, its endpoint.

A rare, rich flow of a few calls: openstacksdk carries it. Safe to repeat: what is there is left alone, or
brought to what was asked.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from multisite.errors import CredentialError, RegionAway
from multisite.openstack.clouds import Clouds
from multisite.openstack.failures import RegionCallError

SERVICE_TYPE = "multisite"
SERVICE_PROJECT = "service"
#: The middleware validates tokens with it; `admin` is not needed for that.
ROLE = "service"


def register(
    clouds_file: Path | None,
    credential: str,
    *,
    url: str,
    region: str | None,
    user: str,
    password: str | None,
) -> Iterator[str]:
    """Make what is missing; yields a line per thing that was done or found.

    Raises `CredentialError`, `RegionAway`.
    """
    import openstack
    import openstack.exceptions
    from keystoneauth1.exceptions import ClientException, ConnectFailure

    files = [str(clouds_file)] if clouds_file else None
    try:
        Clouds(clouds_file).credential(credential)
    except RegionCallError as error:
        raise CredentialError(error.detail) from error
    try:
        config = openstack.config.OpenStackConfig(config_files=files, load_envvars=False)
        connection = openstack.connection.Connection(config=config.get_one(cloud=credential))
        where = region or connection.config.get_region_name()
        if password is not None:
            yield _user(connection.identity, user, password)
        yield _endpoint(connection.identity, url.rstrip("/"), where)
    except ConnectFailure as error:
        raise RegionAway(f"Keystone does not answer: {error}") from error
    except (openstack.exceptions.SDKException, ClientException) as error:
        raise CredentialError(f"entry {credential!r} cannot do this: {error}") from error


def _user(identity: Any, name: str, password: str) -> str:
    project = identity.find_project(SERVICE_PROJECT) or identity.create_project(
        name=SERVICE_PROJECT, domain_id="default"
    )
    found = identity.find_user(name)
    if found:
        identity.update_user(found, password=password)
        said = f"user {name}: there, password set"
    else:
        found = identity.create_user(name=name, password=password, domain_id="default")
        said = f"user {name}: made"
    role = identity.find_role(ROLE) or identity.create_role(name=ROLE)
    identity.assign_project_role_to_user(project, found, role)
    return f"{said}, role {ROLE} in project {SERVICE_PROJECT}"


def _endpoint(identity: Any, url: str, region: str) -> str:
    service = next(iter(identity.services(type=SERVICE_TYPE)), None) or identity.create_service(
        type=SERVICE_TYPE, name="multisite", description="One service over many regions"
    )
    done = []
    for interface in ("public", "internal"):
        found = next(
            iter(identity.endpoints(service_id=service.id, interface=interface, region_id=region)), None
        )
        if found is None:
            identity.create_endpoint(service_id=service.id, interface=interface, url=url, region_id=region)
            done.append(f"{interface} made")
        elif found.url != url:
            identity.update_endpoint(found, url=url)
            done.append(f"{interface} changed from {found.url}")
        else:
            done.append(f"{interface} there")
    where = f"in region {region}" if region else "without a region (the entry names none, nor does --region)"
    return f"endpoint {url} {where}: {', '.join(done)}"
