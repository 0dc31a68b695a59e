# Nova itself has the package files around this module.
# ruff: noqa: INP001
"""Where Nova looks for drivers: it prefixes the configured name with `nova.virt`."""

from multisite_lab.compute import LabDriver

__all__ = ["LabDriver"]
