"""Neutron of one region, put together from what it keeps: groups, ports, routers."""

from multisite.sim.network.routers import Routers


class Network(Routers):
    """Neutron of one region."""
