"""`openstack multisite keypair list`: the keypairs of a user in each region, read now."""

import argparse

from osc_multisite.command import Lister, Rows, Table, add_region_filter, missing_sentence


class ListKeypair(Lister):
    """List the keypairs of a user in all regions; they are read from the regions now."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Whose, and where."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("--user", metavar="<user-id>", help="ID of the user (default: yourself)")
        add_region_filter(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per keypair and region."""
        answer = self.multisite.keypairs(parsed_args.user, parsed_args.regions)
        if answer["missing"]:
            opening = "Not read were the keypairs of"
            sentence = missing_sentence(
                answer["missing"], opening, regions_in_all=answer.get("missing_regions")
            )
            self.log.warning("%s.", sentence)
        rows: Rows = [
            (each["name"], each["region"], each["fingerprint"], each["type"]) for each in answer["keypairs"]
        ]
        return ["Name", "Region", "Fingerprint", "Type"], rows
