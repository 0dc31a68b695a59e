"""Putting things into the regions, so that there is something to see in them.

What there is to put in is data, in `contents.py`. Each thing is looked up by its name first and
made only if it is not there, so the step can be repeated and continues where an earlier one was
interrupted. Regions are filled in parallel. Tenants make their own things as themselves, which
proves their accounts on the way.
"""

from concurrent.futures import ThreadPoolExecutor

from lab import clouds
from lab.console import Progress
from lab.keystone import administrator
from lab.layout import Lab, Region
from lab.populate import compute, network, storage
from lab.populate.contents import CONTENTS, Contents, Tenant
from lab.populate.ensure import Item, ensure
from lab.rest import Rest


def populate(lab: Lab, progress: Progress) -> None:
    """Fill all regions of a running lab."""
    for owner in lab.keystone_owners:
        _ensure_accounts(administrator(lab, owner))
    with ThreadPoolExecutor() as threads:
        for future in [threads.submit(_fill, lab, region, progress) for region in lab.regions]:
            future.result()


def contents_of(region: Region) -> Contents:
    """The contents of a region; the fourth looks like the first again."""
    return CONTENTS[(region.number - 1) % len(CONTENTS)]


def tenant_client(lab: Lab, region: Region, project: str) -> Rest:
    """A region as the user of a project sees it."""
    return Rest(lab, region, project, clouds.TENANTS[project], project)


def _ensure_accounts(admin: Rest) -> None:
    """The projects, each with a user of the same name that is a member of it."""
    roles = {item["name"]: item["id"] for item in admin.get("keystone", "/roles")["roles"]}
    for name, password in clouds.TENANTS.items():
        body: Item = {"name": name, "domain_id": "default"}
        project = ensure(admin, "keystone", "/projects", "project", body)
        body |= {"password": password, "default_project_id": project["id"]}
        user = ensure(admin, "keystone", "/users", "user", body)
        path = f"/projects/{project['id']}/users/{user['id']}/roles/{roles['member']}"
        admin.put("keystone", path)


def _fill(lab: Lab, region: Region, progress: Progress) -> None:
    admin = administrator(lab, region)
    contents = contents_of(region)
    clients = {tenant.project: tenant_client(lab, region, tenant.project) for tenant in contents.tenants}
    flavors = {name: compute.ensure_flavor(admin, name) for name in contents.flavors}
    compute.ensure_zones(admin, region, contents.zones)
    external = network.ensure_external(admin, region, contents.external_prefix)
    images = {
        image.name: storage.ensure_image(clients.get(image.owner, admin), image) for image in contents.images
    }
    for tenant in contents.tenants:
        client = clients[tenant.project]
        boot = compute.Boot(
            flavors, images["lab-linux"], network.ensure_networks(client, region, tenant, external)
        )
        _fill_project(client, tenant, boot, external)
    progress.say(f"{region.name}: populated")


def _fill_project(client: Rest, tenant: Tenant, boot: compute.Boot, external: Item) -> None:
    """Make what a project has; servers and volumes come up at the same time."""
    network.ensure_security_group(client, tenant)
    compute.ensure_keypair(client, tenant)
    volumes = storage.ensure_volumes(client, tenant)
    servers = compute.ensure_servers(client, tenant, boot)
    storage.ensure_snapshots(client, tenant, volumes)
    compute.wait_for_servers(client, servers)
    network.ensure_floating_ips(client, tenant, external, servers)
