"""`openstack multisite region discover`: register what credentials' catalogs name.

One credential is answered at once. Several, which may be of as many Keystones, begin an operation.
"""

import argparse
from typing import Any

from osc_lib import exceptions

from osc_multisite.columns import Cell
from osc_multisite.command import Lister, Rows, Table
from osc_multisite.following import add_wait, follow, require
from osc_multisite.operation import table_of

Json = dict[str, Any]


class DiscoverRegion(Lister):
    """Register the regions of a credential's catalog, or of those of several credentials."""

    followed: Json | None = None

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The credentials, and what to do with what they show."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--credential",
            metavar="<entry>",
            required=True,
            action="append",
            dest="credentials",
            help="Entry of the server's clouds.yaml with which multisite reads the regions (repeat the "
            "option for several: that begins an operation)",
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
        add_wait(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per region: created (or would be), there before, or skipped (stderr says why)."""
        options: Json = {
            name: getattr(parsed_args, name)
            for name in ("interface", "identity", "prefix")
            if getattr(parsed_args, name) is not None
        }
        options["dry_run"] = parsed_args.dry_run
        if len(parsed_args.credentials) > 1:
            return self._discover_all(parsed_args, options)
        if parsed_args.regions:
            options["regions"] = parsed_args.regions
        return self._told(self.multisite.discover_regions(parsed_args.credentials[0], **options))

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Any, data: Any) -> Any:
        """Print the rows; status 1 when a catalog of several could not be read."""
        status = super().produce_output(parsed_args, column_names, data)
        if self.followed is not None:
            require(self.followed)
        return status

    def _discover_all(self, parsed_args: argparse.Namespace, options: Json) -> Table:
        """The operation that was begun, or with `--wait` what it found."""
        if parsed_args.regions:
            raise exceptions.CommandError(
                "--region names regions of one catalog: give one --credential with it."
            )
        operation = self.multisite.discover_all_regions(parsed_args.credentials, **options)
        if not parsed_args.wait:
            return table_of([operation])
        self.followed = follow(self.multisite, operation["id"], parsed_args.timeout)
        rows: Rows = []
        for part in self.followed["regions"]:
            rows += self._rows_of(part, dry_run=parsed_args.dry_run)
        return ["Credential", "Name", "Result", "Region Name"], rows

    def _rows_of(self, part: Json, *, dry_run: bool) -> Rows:
        """What one credential's catalog had."""
        credential, result = part["name"], part["result"]
        if result is None:
            return [(credential, Cell(None), part["state"], Cell(None))]
        rows: Rows = [(credential, name, _created(dry_run=dry_run), Cell(None)) for name in result["created"]]
        rows += [(credential, name, "existing", Cell(None)) for name in result["existing"]]
        for region in result["skipped"]:
            self._say_skipped(region)
            rows.append((credential, Cell(None), "skipped", Cell(region["region_name"])))
        return rows

    def _told(self, answer: Json) -> Table:
        outcome = _created(dry_run=answer["dry_run"])
        rows: Rows = [
            (
                region["name"],
                outcome,
                *(Cell(region.get(name)) for name in ("region_name", "interface", "identity")),
            )
            for region in answer["created"]
        ]
        rows += [(name, "existing", *[Cell(None)] * 3) for name in answer["existing"]]
        for region in answer["skipped"]:
            self._say_skipped(region)
            rows.append((Cell(None), "skipped", Cell(region["region_name"]), *[Cell(None)] * 2))
        return ["Name", "Result", "Region Name", "Interface", "Identity"], rows

    def _say_skipped(self, region: Json) -> None:
        self.log.warning("%s was not registered: %s.", region["region_name"], region["reason"])


def _created(*, dry_run: bool) -> str:
    return "would be created" if dry_run else "created"
