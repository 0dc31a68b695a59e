"""multisite: one service over many OpenStack regions."""

__version__ = "0.1.0"
