"""Simulated OpenStack regions: many in one process, seeded, steerable, and counting every call.

For demos, for tests of faults and for measuring at scale. It imports nothing of the rest of multisite.
`docs/howto/simulator.md` shows how to use it for tests of your own.
"""

from multisite.sim.app import Simulator
from multisite.sim.plan import Plan

__all__ = ["Plan", "Simulator"]
