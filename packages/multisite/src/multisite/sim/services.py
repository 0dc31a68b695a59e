"""All simulated services, by the segment of their path."""

from multisite.sim import placement
from multisite.sim.compute import groups, keypairs, quotas, servers  # noqa: F401 - they register their routes
from multisite.sim.compute import routes as compute
from multisite.sim.http import Answer
from multisite.sim.identity import routes as identity
from multisite.sim.identity.asking import ROUTES as IDENTITY_ROUTES
from multisite.sim.image import routes as image
from multisite.sim.network import quotas as _network_quotas  # noqa: F401 - it registers its routes
from multisite.sim.network import routes as network
from multisite.sim.service import (
    Service,
    cinder_form,
    flask_form,
    keystone_form,
    mapper_form,
    neutron_form,
    nova_form,
    placement_form,
    webob_form,
)
from multisite.sim.volume import copies  # noqa: F401 - it registers its routes
from multisite.sim.volume import quotas as _volume_quotas  # noqa: F401 - it registers its routes
from multisite.sim.volume import routes as volume


def _identity_versions(base: str) -> Answer:
    document = identity.version_document(f"{base}/v3")
    return Answer(300, {"versions": {"values": [document]}}, {"Location": f"{base}/v3/"})


_SERVICES = (
    Service(
        "identity", "identity", "v3", IDENTITY_ROUTES, keystone_form, _identity_versions, flask_form,
        keystone_form, open_routes=identity.OPEN_ROUTES, headers={"Vary": "X-Auth-Token"},
    ),
    Service(
        "compute", "compute", "v2.1", compute.ROUTES, nova_form, compute.versions, mapper_form, keystone_form,
        compute.MICROVERSIONS, open_routes=frozenset({"GET /"}),
    ),
    Service(
        "placement", "placement", "", placement.ROUTES, placement_form, placement.versions, placement_form,
        keystone_form, placement.MICROVERSIONS, open_routes=placement.OPEN_ROUTES,
    ),
    Service(
        "volume", "volume", "v3", volume.ROUTES, cinder_form, volume.versions, mapper_form, keystone_form,
        volume.MICROVERSIONS,
    ),
    Service(
        "network", "network", "v2.0", network.ROUTES, neutron_form, network.versions, neutron_form,
        keystone_form,
    ),
    Service("image", "image", "v2", image.ROUTES, webob_form, image.versions, webob_form, webob_form),
)  # fmt: skip
SEGMENTS = {service.segment: service for service in _SERVICES}
