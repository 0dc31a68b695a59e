"""`openstack multisite …`: the commands, and an openstacksdk proxy, of the multisite service."""

__version__ = "0.1.0"
