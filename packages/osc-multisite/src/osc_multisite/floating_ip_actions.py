"""`openstack multisite floating ip create | associate | disassociate | delete`; their names are addresses."""

import argparse
from typing import Any

from osc_multisite.acting import Act, Create
from osc_multisite.naming import find


class CreateFloatingIP(Create):
    """Take a floating IP from an external network of a region."""

    kind = "floating-ips"
    keyed = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """From where."""
        parser = super().get_parser(prog_name)
        parser.add_argument("network", metavar="<network>", help="External network (name or ID)")
        return parser

    def body(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        """The network's id."""
        network = find(self.multisite, "networks", parsed_args.network, parsed_args.region)
        return {"network_id": network[1]}


class AssociateFloatingIP(Act):
    """Let a floating IP lead to a server, or to a port."""

    kind, action = "floating-ips", "associate"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Where to."""
        parser = super().get_parser(prog_name)
        end = parser.add_mutually_exclusive_group(required=True)
        end.add_argument("--server", metavar="<server>", help="The server (name or ID), if it has one port")
        end.add_argument("--port", metavar="<port>", help="The port (name or ID)")
        parser.add_argument("--fixed-ip-address", metavar="<address>", help="Which address of the port")
        return parser

    def body(self, parsed_args: argparse.Namespace, region: str) -> dict[str, Any] | None:
        """The id of the port or server."""
        kind, field, text = "servers", "server_id", parsed_args.server
        if text is None:
            kind, field, text = "ports", "port_id", parsed_args.port
        fields = {field: find(self.multisite, kind, text, region)[1]}
        if parsed_args.fixed_ip_address is not None:
            fields["fixed_ip_address"] = parsed_args.fixed_ip_address
        return fields


class DisassociateFloatingIP(Act):
    """Let a floating IP lead nowhere."""

    kind, action = "floating-ips", "disassociate"


class DeleteFloatingIP(Act):
    """Give a floating IP back."""

    kind, action = "floating-ips", "delete"
