"""The routes that multisite reads, with what it asks of them: each as administrator and as tenant."""

from itertools import product

from tests.lab.parity.asking import Case, Request

NOVA, PLACEMENT, CINDER = "2.53", "1.18", "3.60"
NOWHERE = "00000000-0000-4000-8000-000000000000"
LONG_AGO = "2020-01-01T00:00:00Z"
TO_COME = "2099-01-01T00:00:00Z"


_OWNED = {
    "networks": "network", "subnets": "subnet", "ports": "port", "routers": "router",
    "floatingips": "floating",
    "security-groups": "group",
}  # fmt: skip
#: Service, path, microversion: routes that multisite reads.
ROUTES = (
    # regions/probe.py, openstack/versions.py
    ("identity", "", ""),
    ("compute", "/", ""),
    ("placement", "/", ""),
    # openstack/keystone.py, home.py, registration.py
    ("identity", "/domains", ""),
    ("identity", "/domains?name=Default", ""),
    ("identity", "/domains?name=nowhere", ""),
    ("identity", "/domains/default", ""),
    ("identity", "/projects", ""),
    ("identity", "/projects?name=parity-a&domain_id=default", ""),
    ("identity", "/projects?name=nobody&domain_id=default", ""),
    ("identity", "/projects?enabled=true", ""),
    ("identity", "/projects/{tenant_project}", ""),
    ("identity", "/projects/{other_project}", ""),
    ("identity", "/users?name=parity-a&domain_id=default", ""),
    ("identity", "/users/{tenant_user}", ""),
    ("identity", "/users/{other_user}", ""),
    ("identity", "/users/{tenant_user}/projects", ""),
    ("identity", "/users/{other_user}/projects", ""),
    ("identity", "/auth/projects", ""),
    ("identity", "/auth/catalog", ""),
    ("identity", "/auth/domains", ""),
    ("identity", "/roles", ""),
    ("identity", "/role_assignments?user.id={tenant_user}", ""),
    ("identity", "/regions", ""),
    ("identity", "/services", ""),
    ("identity", "/services?type=compute", ""),
    ("identity", "/endpoints", ""),
    ("identity", "/endpoints?interface=public&region_id=RegionOne", ""),
    ("identity", "/limits", ""),
    ("identity", "/limits/model", ""),
    ("identity", "/registered_limits", ""),
    ("identity", "/users/{tenant_user}/application_credentials", ""),
    # openstack/nova.py
    ("compute", "/os-services", NOVA),
    ("compute", "/os-hypervisors/detail?limit=1000", NOVA),
    ("compute", "/os-aggregates", NOVA),
    ("compute", "/flavors/detail?is_public=None&limit=1000", "2.61"),
    ("compute", "/flavors?limit=1", ""),
    ("compute", "/flavors/{flavor_tiny}", "2.61"),
    ("compute", "/os-quota-sets/{tenant_project}/detail", NOVA),
    ("compute", "/os-quota-sets/{tenant_project}", NOVA),
    ("compute", "/os-quota-sets/{tenant_project}", "2.57"),
    ("compute", "/os-quota-sets/{tenant_project}/defaults", NOVA),
    ("compute", "/os-quota-sets/{other_project}/detail", NOVA),
    ("compute", "/os-quota-class-sets/default", NOVA),
    ("compute", "/limits", NOVA),
    ("compute", "/limits", "2.57"),
    ("compute", "/servers/detail?all_tenants=1&limit=1000", NOVA),
    ("compute", "/servers?all_tenants=1&limit=1000", NOVA),
    ("compute", "/servers/detail?all_tenants=1&limit=2", NOVA),
    ("compute", f"/servers/detail?all_tenants=1&limit=1000&changes-since={LONG_AGO}&status=ACTIVE", NOVA),
    ("compute", f"/servers/detail?all_tenants=1&limit=1000&changes-since={TO_COME}", NOVA),
    ("compute", "/servers/detail", "2.1"),
    ("compute", "/servers/detail", "2.79"),
    ("compute", "/servers/detail", "2.104"),
    ("compute", "/servers?name=parity-server", NOVA),
    ("compute", "/servers?status=ACTIVE", NOVA),
    ("compute", "/servers?status=SHUTOFF", NOVA),
    ("compute", "/servers?ip=10.77.0", NOVA),
    ("compute", "/servers/{server}", NOVA),
    ("compute", "/servers/{server}", "2.104"),
    ("compute", "/servers/{other_server}", NOVA),
    ("compute", "/servers/{server}/os-volume_attachments", NOVA),
    ("compute", "/servers/{server}/os-volume_attachments", "2.89"),
    ("compute", "/servers/{server}/os-interface", NOVA),
    ("compute", "/os-keypairs?user_id={tenant_user}&limit=1000", NOVA),
    ("compute", "/os-keypairs?user_id={other_user}&limit=1000", NOVA),
    ("compute", "/os-keypairs/parity-key?user_id={tenant_user}", NOVA),
    ("compute", "/os-availability-zone", NOVA),
    # openstack/placement.py
    ("placement", "/resource_providers", PLACEMENT),
    ("placement", "/resource_providers?required=MISC_SHARES_VIA_AGGREGATE", PLACEMENT),
    ("placement", "/resource_providers/{provider}", PLACEMENT),
    ("placement", "/resource_providers/{provider}/inventories", PLACEMENT),
    ("placement", "/resource_providers/{provider}/usages", PLACEMENT),
    ("placement", "/resource_providers/{provider}/aggregates", PLACEMENT),
    ("placement", "/resource_providers/{provider}/traits", PLACEMENT),
    ("placement", "/resource_providers/{provider}/allocations", PLACEMENT),
    ("placement", "/allocations/{server}", PLACEMENT),
    ("placement", "/usages?project_id={tenant_project}", PLACEMENT),
    # openstack/cinder.py
    ("volume", "/scheduler-stats/get_pools?detail=true", ""),
    ("volume", "/scheduler-stats/get_pools", ""),
    ("volume", "/os-services", ""),
    ("volume", "/os-services", CINDER),
    ("volume", "/os-quota-sets/{tenant_project}?usage=True", ""),
    ("volume", "/os-quota-sets/{tenant_project}", ""),
    ("volume", "/os-quota-sets/{tenant_project}/defaults", ""),
    ("volume", "/os-quota-sets/{other_project}?usage=True", ""),
    ("volume", "/limits", ""),
    ("volume", "/types", ""),
    ("volume", "/types/default", ""),
    ("volume", "/volumes/detail?all_tenants=1&limit=1000", CINDER),
    ("volume", "/volumes?all_tenants=1&limit=1000", CINDER),
    ("volume", "/volumes/detail?all_tenants=1&limit=1", CINDER),
    ("volume", f"/volumes/detail?all_tenants=1&limit=1000&updated_at=gte:{LONG_AGO}", CINDER),
    ("volume", f"/volumes/detail?all_tenants=1&limit=1000&updated_at=gte:{TO_COME}", CINDER),
    ("volume", f"/volumes/detail?updated_at=gte:{TO_COME}", "3.40"),
    ("volume", f"/volumes/detail?updated_at=gte:{TO_COME}", "3.0"),
    ("volume", "/volumes/detail", "3.0"),
    ("volume", "/volumes/detail", "3.71"),
    ("volume", "/volumes?limit=1&with_count=true", CINDER),
    ("volume", "/volumes/summary", CINDER),
    ("volume", "/volumes?status=in-use", CINDER),
    ("volume", "/volumes?name=parity-free", CINDER),
    ("volume", "/volumes?all_tenants=1&project_id={tenant_project}", CINDER),
    ("volume", "/volumes/{volume}", CINDER),
    ("volume", "/volumes/{volume}", "3.71"),
    ("volume", "/volumes/{other_volume}", CINDER),
    ("volume", "/snapshots/detail?all_tenants=1&limit=1000", CINDER),
    ("volume", "/snapshots?all_tenants=1&limit=1000", CINDER),
    ("volume", f"/snapshots/detail?updated_at=gte:{LONG_AGO}", CINDER),
    ("volume", "/snapshots/detail?volume_id={free}", CINDER),
    ("volume", "/snapshots/{snapshot}", CINDER),
    ("volume", "/backups/detail?all_tenants=1&limit=1000", CINDER),
    ("volume", "/backups?all_tenants=1&limit=1000", CINDER),
    ("volume", f"/backups/detail?updated_at=gte:{LONG_AGO}", CINDER),
    ("volume", "/backups/{backup}", CINDER),
    ("volume", "/os-availability-zone", ""),
    # openstack/neutron.py
    ("network", "/network-ip-availabilities", ""),
    ("network", "/network-ip-availabilities/{network}", ""),
    ("network", "/networks?router:external=True&fields=id&limit=1000", ""),
    ("network", "/quotas/{tenant_project}/details.json", ""),
    ("network", "/quotas/{other_project}/details.json", ""),
    ("network", "/quotas/{tenant_project}", ""),
    ("network", "/quotas/{tenant_project}/default", ""),
    ("network", "/quotas", ""),
    ("network", "/rbac-policies?limit=1000", ""),
    *(
        ("network", path, "")
        for key in (
            "networks",
            "subnets",
            "ports",
            "routers",
            "floatingips",
            "security-groups",
            "subnetpools",
        )
        for path in (
            f"/{key}?limit=1000",
            f"/{key}?limit=1000&fields=id&fields=revision_number&fields=updated_at",
            f"/{key}?limit=1000&id={NOWHERE}",
            f"/{key}?limit=1000&project_id={{tenant_project}}",
            f"/{key}?limit=1000&changed_since={LONG_AGO}&project_id={{tenant_project}}",
            f"/{key}?changed_since={TO_COME}",
        )
    ),
    *(
        ("network", f"/{key}/{{{prefix}{thing}}}", "")
        for (key, thing), prefix in product(_OWNED.items(), ("", "other_"))
    ),
    ("network", "/networks/{external}", ""),
    ("network", "/networks?name=parity-net", ""),
    ("network", "/ports?device_id={server}", ""),
    ("network", "/ports?fixed_ips=ip_address%3D10.77.0.1", ""),
    ("network", "/security-group-rules?security_group_id={group}", ""),
    ("network", "/extensions", ""),
    # openstack/glance.py
    ("image", "/info/stores", ""),
    ("image", "/info/stores/detail", ""),
    ("image", "/info/import", ""),
    ("image", "/info/usage", ""),
    ("image", "/images?limit=500&visibility=all", ""),
    ("image", "/images?limit=0", ""),
    ("image", "/images?limit=500&visibility=all&owner={tenant_project}", ""),
    ("image", f"/images?limit=500&visibility=all&updated_at=gte:{LONG_AGO}", ""),
    ("image", f"/images?limit=500&visibility=all&updated_at=gte:{TO_COME}", ""),
    ("image", "/images?visibility=shared&member_status=pending", ""),
    ("image", "/images?visibility=public", ""),
    ("image", "/images?name=parity-image", ""),
    ("image", "/images?status=queued", ""),
    ("image", "/images?sort=name:asc,size:desc", ""),
    ("image", "/images/{image}", ""),
    ("image", "/images/{queued}", ""),
    ("image", "/images/{other_image}", ""),
    ("image", "/images/{image}/members", ""),
    ("image", "/images/{other_image}/members", ""),
)
#: Answers to these are about the scene alone, whoever asks.
_OWN = ("{tenant_", "{server}", "{volume}", "{free}", "{image}", "{queued}", "{other_", "parity-")
#: … but not these: there is more in the answer than was said when they were made.
_NOT_OWN = ("extensions", "limits", "quota", "/roles", "usages?", "/flavors/detail", "/flavors?")


def _reads() -> list[Case]:
    cases = []
    for (to, path, version), who in product(ROUTES, ("admin", "tenant")):
        own = any(word in path for word in _OWN) or (who == "tenant" and to in {"compute", "volume"})
        exact = own and not any(word in path for word in _NOT_OWN)
        cases.append(Case(Request(to, "GET", path, who, version), exact))
    return cases


READS = _reads()
