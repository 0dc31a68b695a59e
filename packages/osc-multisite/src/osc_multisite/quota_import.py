"""`openstack multisite quota import`: take over what the regions have today."""

import argparse
from typing import Any

from osc_lib import exceptions

from osc_multisite.columns import Labels
from osc_multisite.command import Lister, Rows, Table
from osc_multisite.following import add_wait, follow, require
from osc_multisite.quota_columns import figure, names_of
from osc_multisite.quota_options import add_project, add_repeated, project_of

Json = dict[str, Any]


class ImportQuota(Lister):
    """Propose global limits from what the regions have today; with `--apply`, set them."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The project, the resources, and whether to set them."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_project(parser)
        add_repeated(parser, "--resource", "<name>", str, "Only this resource, like compute/cores")
        parser.add_argument("--soft", action="store_true", help="Propose soft limits instead of hard ones")
        parser.add_argument("--apply", action="store_true", help="Set what is proposed, once it is shown")
        add_wait(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per resource that some region limits."""
        if parsed_args.wait and not parsed_args.apply:
            raise exceptions.CommandError("Without --apply nothing is set: there is nothing to --wait for.")
        self.found = self.multisite.import_quota(
            project_of(self, parsed_args),
            resources=parsed_args.resource,
            kind="soft" if parsed_args.soft else None,
        )
        rows: Rows = [
            (
                each["resource"],
                each["kind"],
                figure(each["resource"], "limit", each["limit"]),
                figure(each["resource"], "used", each["used"]),
                Labels(each["regions"]),
                names_of(each["missing"]),
            )
            for each in self.found["proposals"]
            if each["regions"] or each["missing"]
        ]
        return ["Resource", "Kind", "Limit", "Used", "Regions", "Missing"], rows

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Any, data: Any) -> Any:
        """Print the rows; then set what is known of all regions. Status 1 when something is not."""
        status = super().produce_output(parsed_args, column_names, data)
        if parsed_args.apply:
            self._apply(parsed_args)
        return status

    def _apply(self, parsed_args: argparse.Namespace) -> None:
        proposals = self.found["proposals"]
        whole = {
            each["resource"]: {"limit": each["limit"], "kind": each["kind"]}
            for each in proposals
            if each["limit"] is not None and not each["missing"]
        }
        if whole:
            operation = self.multisite.set_quota(self.found["project_id"], limits=whole)
            if parsed_args.wait:
                require(follow(self.multisite, operation["id"], parsed_args.timeout))
            else:
                self.log.warning("Operation %s sets %d limits.", operation["id"], len(whole))
        left = [each["resource"] for each in proposals if each["missing"]]
        if left or not whole:
            raise exceptions.CommandError(
                f"Not set, because not every region's limit is known: {', '.join(left) or 'anything'}."
            )
