"""`openstack multisite where TEXT`: which item has this id, name or address, and in which region."""

import argparse

from osc_multisite.columns import Cell, Words
from osc_multisite.command import Lister, Rows, Table, missing_sentence
from osc_multisite.inventory import NOT_READ, positive


class Where(Lister):
    """Find an id, a name or an address, or a part of one, in all regions; the best match comes first."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """What is looked for."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "text",
            metavar="<text>",
            help="An ID or its beginning, a part of a name, an IP or MAC address or its beginning, a network",
        )
        parser.add_argument(
            "--limit", metavar="<number>", type=positive, help="At most so many (default: 50)"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per item."""
        answer = self.multisite.where(parsed_args.text, limit=parsed_args.limit)
        if answer["missing"]:
            sentence = missing_sentence(
                answer["missing"], NOT_READ, regions_in_all=answer.get("missing_regions")
            )
            self.log.warning("%s.", sentence)
        if answer["more"]:
            self.log.warning("There is more than this: write more of it, or raise --limit (200 at most).")
        rows: Rows = []
        for each in answer["found"]:
            item = each["item"]
            rows.append(
                (
                    item["kind"].replace("_", " "),
                    item["id"],
                    Cell(item["name"] or None),
                    item["region"],
                    Cell(item["status"]),
                    Words(item["addresses"]),
                    Cell(item["project_name"]),
                    each["match"],
                    each["exact"],
                )
            )
        return ["Kind", "ID", "Name", "Region", "Status", "Addresses", "Project", "Match", "Exact"], rows
