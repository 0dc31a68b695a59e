"""`openstack multisite region discover`: register what a credential's catalog names."""

import argparse
from typing import Any

from osc_multisite.columns import Cell
from osc_multisite.command import Lister, Table


class DiscoverRegion(Lister):
    """Register the regions of a credential's catalog."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The credential, and what to do with what it shows."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--credential",
            metavar="<entry>",
            required=True,
            help="Entry of the server's clouds.yaml with which multisite reads the regions",
        )
        parser.add_argument(
            "--region",
            metavar="<name>",
            action="append",
            dest="regions",
            help="Only this region of the catalog (repeat the option for several)",
        )
        parser.add_argument(
            "--interface",
            choices=["public", "internal", "admin"],
            help="Which endpoints of the catalog multisite calls (default: public)",
        )
        parser.add_argument(
            "--identity",
            choices=["home", "own"],
            help="Whose users the regions know (default: found by comparing with the home Keystone)",
        )
        parser.add_argument(
            "--prefix", metavar="<text>", help="Put this before the catalog's names, to tell clouds apart"
        )
        parser.add_argument("--dry-run", action="store_true", help="Only show what would be registered")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per region: created (or would be), there before, or skipped (stderr says why)."""
        options: dict[str, Any] = {
            name: getattr(parsed_args, name)
            for name in ("regions", "interface", "identity", "prefix")
            if getattr(parsed_args, name) is not None
        }
        answer = self.multisite.discover_regions(
            parsed_args.credential, dry_run=parsed_args.dry_run, **options
        )
        outcome = "would be created" if answer["dry_run"] else "created"
        rows: list[tuple[Any, ...]] = [
            (
                region["name"],
                outcome,
                *(Cell(region.get(name)) for name in ("region_name", "interface", "identity")),
            )
            for region in answer["created"]
        ]
        rows += [(name, "existing", *[Cell(None)] * 3) for name in answer["existing"]]
        for region in answer["skipped"]:
            self.log.warning("%s was not registered: %s.", region["region_name"], region["reason"])
            rows.append((Cell(None), "skipped", Cell(region["region_name"]), *[Cell(None)] * 2))
        return ["Name", "Result", "Region Name", "Interface", "Identity"], rows
