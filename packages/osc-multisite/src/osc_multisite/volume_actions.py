"""`openstack multisite volume create | attach | detach | delete`."""

import argparse
from typing import Any

from osc_multisite.acting import Act, Create
from osc_multisite.inventory import positive
from osc_multisite.naming import find
from osc_multisite.waiting import Goal


class CreateVolume(Create):
    """Create a volume in a region."""

    kind = "volumes"
    goal = Goal("available")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Of what."""
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="<name>", help="Name of the volume")
        parser.add_argument("--size", metavar="<GiB>", type=positive, help="Size")
        parser.add_argument("--type", metavar="<type>", help="Volume type")
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--image", metavar="<image>", help="Put this image on it (name or ID)")
        source.add_argument("--snapshot", metavar="<snapshot>", help="Make it of this snapshot (name or ID)")
        source.add_argument("--source", metavar="<volume>", help="Make it of this volume (name or ID)")
        parser.add_argument("--availability-zone", metavar="<zone>", help="Zone of the region")
        return parser

    def body(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        """The ids of what was named."""
        sources = {
            "image_id": ("images", parsed_args.image),
            "snapshot_id": ("snapshots", parsed_args.snapshot),
            "source_volume_id": ("volumes", parsed_args.source),
        }
        fields = {
            "name": parsed_args.name,
            "size": parsed_args.size,
            "volume_type": parsed_args.type,
            "availability_zone": parsed_args.availability_zone,
        }
        for name, (kind, text) in sources.items():
            if text is not None:
                fields[name] = find(self.multisite, kind, text, parsed_args.region)[1]
        return {name: value for name, value in fields.items() if value is not None}


class AttachVolume(Act):
    """Attach a volume to a server of its region."""

    kind, action, goal = "volumes", "attach", Goal("in-use")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """To which server."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--server", metavar="<server>", required=True, help="The server (name or ID)")
        return parser

    def body(self, parsed_args: argparse.Namespace, region: str) -> dict[str, Any] | None:
        """The server's id."""
        return {"server_id": find(self.multisite, "servers", parsed_args.server, region)[1]}


class DetachVolume(Act):
    """Detach a volume from its server."""

    kind, action, goal = "volumes", "detach", Goal("available")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """From which server."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--server", metavar="<server>", help="The server (name or ID), where several have the volume"
        )
        return parser

    def body(self, parsed_args: argparse.Namespace, region: str) -> dict[str, Any] | None:
        """The server's id, where one was named."""
        if parsed_args.server is None:
            return {}
        return {"server_id": find(self.multisite, "servers", parsed_args.server, region)[1]}


class DeleteVolume(Act):
    """Delete a volume."""

    kind, action, goal = "volumes", "delete", Goal("gone")
