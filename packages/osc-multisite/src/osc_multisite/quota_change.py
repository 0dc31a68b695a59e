"""`openstack multisite quota set | unset | balance`: what begins to write limits to regions.

Each begins an operation. Without `--wait` it is printed and goes on; with `--wait` the bar of operations
shows how far it is, and then how the project's resources stand.
"""

import argparse
from typing import Any, ClassVar

from osc_lib import exceptions

from osc_multisite import errors, quota_plan
from osc_multisite.command import Lister, Table
from osc_multisite.following import add_wait, follow, require
from osc_multisite.operation import table_of
from osc_multisite.quota import ROW_TITLES, rows_of
from osc_multisite.quota_options import (
    add_limits,
    add_project,
    add_repeated,
    by_region,
    limits_of,
    project_of,
    region_number,
    region_resource,
    resource_number,
)
from osc_multisite.quota_plan import add_dry_run
from osc_multisite.region_settings import moment

Json = dict[str, Any]

#: What --maximum says for none.
NO_MAXIMUM = -1
#: Option → field of a region's bounds.
BOUNDS = {"minimum": "minimum", "maximum": "maximum", "weight": "weight"}


class Balancing(Lister):
    """A command that begins an operation which balances one project."""

    followed: Json | None = None
    #: Whether it is about the token's own project where none is named.
    own: ClassVar[bool] = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The project, and whether to wait."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_project(parser, own=self.own)
        add_wait(parser)
        return parser

    def told(self, parsed_args: argparse.Namespace, project: str, operation: Json) -> Table:
        """The operation that was begun, or with `--wait` how the project stands when it has ended."""
        if not parsed_args.wait:
            return table_of([operation])
        self.followed = follow(self.multisite, operation["id"], parsed_args.timeout)
        try:
            quota = self.multisite.quota(project)
        except errors.NotFound:
            return list(ROW_TITLES), []  # its limits are kept no more
        for each in quota["resources"]:
            if each["state"] == "releasing":
                self.log.warning(
                    "What the regions had of %s before is still being written back.", each["resource"]
                )
            if each["establishing"]:
                self.log.warning(
                    "%s is not yet as it should be in: %s.", each["resource"], ", ".join(each["establishing"])
                )
        return list(ROW_TITLES), rows_of(quota)

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Any, data: Any) -> Any:
        """Print the rows; status 1 when the operation did not succeed."""
        status = super().produce_output(parsed_args, column_names, data)
        if self.followed is not None:
            require(self.followed)
        return status

    def planned(self, parsed_args: argparse.Namespace, project: str, **fields: Any) -> Table:
        """A row per write that a change would make now.

        Raises:
            CommandError: it shall be waited for, too.
        """
        if parsed_args.wait:
            raise exceptions.CommandError("--dry-run writes nothing: there is nothing to --wait for.")
        found = self.multisite.plan_quota(project, **fields)
        quota_plan.warn_of(found["missing"], self.log)
        return list(quota_plan.TITLES), quota_plan.rows_of(found["writes"])

    def project(self, parsed_args: argparse.Namespace) -> str:
        """The id of the project that was named, or of the token's own."""
        return str(self.multisite.project_or_own(project_of(self, parsed_args)))


class SetQuota(Balancing):
    """Set what a project may use over all regions, and write it to them."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Limits, class, bounds of regions, raises."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_limits(parser)
        follows = parser.add_mutually_exclusive_group()
        follows.add_argument(
            "--class", metavar="<name>", dest="class_name", help="Follow this class of limits"
        )
        follows.add_argument("--no-class", action="store_true", help="Follow no class of limits")
        for name, text in (
            ("minimum", "What a region has to have at least, like oslo:compute/cores=4"),
            ("maximum", "What a region may have at most; -1 for no maximum"),
            ("weight", "The weight of a region where shares are even (1 unless set)"),
        ):
            add_repeated(parser, f"--{name}", "<region:resource=number>", region_number, text)
        add_repeated(
            parser,
            "--no-bounds",
            "<region:resource>",
            region_resource,
            "Forget minimum, maximum and weight of a region",
        )
        add_repeated(
            parser,
            "--raise",
            "<resource=number>",
            resource_number,
            "A higher limit for a time; needs --until",
        )
        parser.add_argument(
            "--until", metavar="<time>", type=moment, help="When the raise ends, like 2026-12-01T06:00Z"
        )
        add_repeated(parser, "--no-raise", "<resource>", str, "End the raise of this resource")
        add_dry_run(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """The operation; with `--dry-run` a row per write."""
        fields = fields_of(parsed_args)
        project = self.project(parsed_args)
        if not parsed_args.dry_run:
            return self.told(parsed_args, project, self.multisite.set_quota(project, **fields))
        return self.planned(parsed_args, project, **fields)


def fields_of(parsed_args: argparse.Namespace) -> Json:
    """The body of a change of a quota.

    Raises:
        CommandError: there is nothing to set, a part of a raise is missing, or a maximum cannot be.
    """
    raises = dict(getattr(parsed_args, "raise"))
    if bool(raises) != bool(parsed_args.until):
        raise exceptions.CommandError("--raise <resource=number> and --until <time> go together.")
    regions = by_region(parsed_args, BOUNDS)
    for region, resources in regions.items():
        for resource, bounds in resources.items():
            if bounds.get("maximum", 0) < NO_MAXIMUM:
                raise exceptions.CommandError(
                    f"--maximum {region}:{resource}: write 0 or more, or {NO_MAXIMUM} for no maximum."
                )
            if bounds.get("maximum") == NO_MAXIMUM:
                bounds["maximum"] = None
    for region, resource in parsed_args.no_bounds:
        regions.setdefault(region, {})[resource] = None
    fields: Json = {
        "limits": limits_of(parsed_args),
        "raises": {
            **{name: {"limit": number, "ends_at": parsed_args.until} for name, number in raises.items()},
            **dict.fromkeys(parsed_args.no_raise),
        },
        "regions": regions,
    }
    fields = {name: value for name, value in fields.items() if value}
    if parsed_args.class_name or parsed_args.no_class:
        fields["class_name"] = parsed_args.class_name
    if not fields:
        raise exceptions.CommandError("Nothing to set: name at least one option.")
    return fields


class UnsetQuota(Balancing):
    """Keep limits of a project no more: every region gets back what it had before."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Which resources."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_repeated(parser, "--resource", "<name>", str, "Only the limit of this resource")
        add_dry_run(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """The operation that writes back; with `--dry-run` a row per write."""
        project = self.project(parsed_args)
        taken: Json = {"limits": dict.fromkeys(parsed_args.resource)} if parsed_args.resource else {}
        if parsed_args.dry_run:
            return self.planned(parsed_args, project, **(taken or {"unset": True}))
        if taken:
            return self.told(parsed_args, project, self.multisite.set_quota(project, **taken))
        return self.told(parsed_args, project, self.multisite.unset_quota(project))


class BalanceQuota(Balancing):
    """Balance a project now: give regions where more is wanted what others can spare."""

    own = True

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The regions in which more is wanted."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_repeated(parser, "--region", "<name>", str, "A region in which more is wanted")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """The operation that balances."""
        project = self.project(parsed_args)
        return self.told(parsed_args, project, self.multisite.balance_quota(project, parsed_args.region))
