"""`openstack multisite server create | start | stop | reboot | resize | delete`."""

import argparse
from typing import Any

from osc_multisite.acting import Act, Create
from osc_multisite.inventory import positive
from osc_multisite.naming import find, find_flavor
from osc_multisite.waiting import Goal


class CreateServer(Create):
    """Create a server in a region."""

    kind = "servers"
    goal = Goal("active")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Of what, and where."""
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="<name>", help="Name of the server")
        parser.add_argument("--image", metavar="<image>", required=True, help="Image (name or ID)")
        parser.add_argument("--flavor", metavar="<flavor>", required=True, help="Flavor (name or ID)")
        parser.add_argument(
            "--network",
            metavar="<network>",
            action="append",
            required=True,
            dest="networks",
            help="Network (name or ID; repeat the option for several)",
        )
        parser.add_argument(
            "--security-group",
            metavar="<group>",
            action="append",
            default=[],
            dest="security_groups",
            help="Security group (name or ID; repeat the option for several)",
        )
        parser.add_argument("--key-name", metavar="<name>", help="Keypair that opens the server")
        parser.add_argument("--availability-zone", metavar="<zone>", help="Zone of the region")
        parser.add_argument(
            "--boot-from-volume",
            metavar="<GiB>",
            type=positive,
            help="Boot from a new volume of this size with the image on it",
        )
        return parser

    def body(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        """The ids of what was named."""
        region = parsed_args.region

        def identity(kind: str, text: str) -> str:
            return find(self.multisite, kind, text, region)[1]

        fields: dict[str, Any] = {
            "name": parsed_args.name,
            "image_id": identity("images", parsed_args.image),
            "flavor_id": find_flavor(self.multisite, parsed_args.flavor, region),
            "network_ids": [identity("networks", each) for each in parsed_args.networks],
            "security_groups": [identity("security-groups", each) for each in parsed_args.security_groups],
        }
        optional = {
            "key_name": parsed_args.key_name,
            "availability_zone": parsed_args.availability_zone,
            "volume_size": parsed_args.boot_from_volume,
        }
        return fields | {name: value for name, value in optional.items() if value is not None}


class StartServer(Act):
    """Start a server."""

    kind, action, goal = "servers", "start", Goal("active")


class StopServer(Act):
    """Stop a server."""

    kind, action, goal = "servers", "stop", Goal("shutoff")


class RebootServer(Act):
    """Reboot a server."""

    kind, action, goal = "servers", "reboot", Goal("active")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """How."""
        parser = super().get_parser(prog_name)
        how = parser.add_mutually_exclusive_group()
        for flag, text in (("soft", "Ask the guest to (default)"), ("hard", "Cut the power")):
            how.add_argument(f"--{flag}", action="store_const", const=flag, dest="type", help=text)
        return parser

    def body(self, parsed_args: argparse.Namespace, region: str) -> dict[str, Any] | None:  # noqa: ARG002
        """How to reboot."""
        return {"type": parsed_args.type or "soft"}


class ResizeServer(Act):
    """Give a server another flavor; then confirm or revert it."""

    kind, action, goal = "servers", "resize", Goal("verify_resize")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """To what."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--flavor", metavar="<flavor>", required=True, help="New flavor (name or ID)")
        return parser

    def body(self, parsed_args: argparse.Namespace, region: str) -> dict[str, Any] | None:
        """The new flavor."""
        return {"flavor_id": find_flavor(self.multisite, parsed_args.flavor, region)}


class ConfirmResize(Act):
    """Keep the new size of a server."""

    kind, action, goal = "servers", "confirm-resize", Goal("active")


class RevertResize(Act):
    """Go back to the old size of a server."""

    kind, action, goal = "servers", "revert-resize", Goal("active")


class DeleteServer(Act):
    """Delete a server."""

    kind, action, goal = "servers", "delete", Goal("gone")
