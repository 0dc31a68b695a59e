"""`openstack multisite region create | set`: what operators decide about a region.

Both take the same options for the same fields. `set` reads the region first, because a change names the
generation that it was made from, and because labels are written as a whole: the new ones are laid over
the present ones here, and a change that somebody else made in between is refused by the service.
"""

import argparse
from datetime import UTC, datetime
from typing import Any

from osc_lib import exceptions
from osc_lib.cli import parseractions

from osc_multisite.command import Command, ShowOne
from osc_multisite.region import add_name, fields_of

#: Options whose value is written as it is given.
PLAIN = ("credential", "region_name", "interface", "identity", "position", "dashboard_url", "sweep_interval")


def moment(text: str) -> str:
    """A time with its zone, as ISO 8601 in UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no time: give it like 2026-12-01T06:00Z") from None
    if parsed.tzinfo is None:
        raise argparse.ArgumentTypeError(f"'{text}' has no time zone: give it like 2026-12-01T06:00Z")
    return parsed.astimezone(UTC).isoformat().replace("+00:00", "Z")


def positive(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The options that `create` and `set` share; unset ones are left out of the namespace."""

    def option(*flags: str, **arguments: Any) -> None:
        parser.add_argument(*flags, default=argparse.SUPPRESS, **arguments)

    option(
        "--region-name", metavar="<name>", help="Name of the region in its own catalog (default: <region>)"
    )
    option(
        "--interface",
        choices=["public", "internal", "admin"],
        help="Which endpoints of the catalog multisite calls (default: public)",
    )
    option(
        "--identity",
        choices=["home", "own"],
        help="Whose users the region knows: those of the home Keystone, or of a Keystone of its own",
    )
    option(
        "--label",
        metavar="<key=value>",
        action=parseractions.KeyValueAction,
        dest="labels",
        help="Label the region (repeat the option for several)",
    )
    option("--position", "--order", metavar="<n>", type=int, help="Place in listings; small numbers first")
    option("--dashboard-url", metavar="<url>", help="Where the region's own dashboard is")
    option(
        "--sweep-interval",
        metavar="<seconds>",
        type=positive,
        help="Read this region at an interval of its own",
    )
    enabled = parser.add_mutually_exclusive_group()
    for flag, value, text in (
        ("--enable", True, "Read the region (default)"),
        ("--disable", False, "Do not read the region, and leave it out of totals"),
    ):
        enabled.add_argument(
            flag, action="store_const", const=value, dest="enabled", default=argparse.SUPPRESS, help=text
        )


def settings_of(parsed_args: argparse.Namespace) -> dict[str, Any]:
    """The fields that were given."""
    given = vars(parsed_args)
    return {name: given[name] for name in (*PLAIN, "enabled") if name in given}


class CreateRegion(ShowOne):
    """Register one region."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The name, the credential and the settings."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_name(parser)
        parser.add_argument(
            "--credential",
            metavar="<entry>",
            required=True,
            help="Entry of the server's clouds.yaml with which multisite reads the region",
        )
        add_settings(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Register it and show it."""
        fields = settings_of(parsed_args)
        if "labels" in parsed_args:
            fields["labels"] = parsed_args.labels
        return fields_of(self.multisite.create_region(parsed_args.name, **fields))


class SetRegion(Command):
    """Change what operators decide about a region."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The settings, and the options that take something away."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_name(parser)
        parser.add_argument(
            "--credential",
            metavar="<entry>",
            default=argparse.SUPPRESS,
            help="Entry of the server's clouds.yaml with which multisite reads the region",
        )
        add_settings(parser)
        maintenance = parser.add_mutually_exclusive_group()
        maintenance.add_argument(
            "--maintenance",
            metavar="<reason>",
            help="Announce planned work; it silences the region's warnings",
        )
        maintenance.add_argument("--no-maintenance", action="store_true", help="The planned work is over")
        parser.add_argument(
            "--maintenance-until", metavar="<time>", type=moment, help="When it ends, like 2026-12-01T06:00Z"
        )
        parser.add_argument("--no-label", action="store_true", help="Remove all labels (before --label adds)")
        parser.add_argument(
            "--remove-label",
            metavar="<key>",
            action="append",
            default=[],
            dest="removed_labels",
            help="Remove this label (repeat the option for several)",
        )
        parser.add_argument("--no-dashboard-url", action="store_true", help="Forget the dashboard's address")
        parser.add_argument("--no-sweep-interval", action="store_true", help="Use the configured interval")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Read the region, lay the change over it, write it with the generation that was read."""
        region = self.multisite.region(parsed_args.name)
        if region["generation"] is None:
            raise exceptions.CommandError(
                "You may see this region, but not change it: operators have the role admin in a project or "
                "on the system."
            )
        fields = settings_of(parsed_args) | changes(parsed_args, region)
        if not fields:
            raise exceptions.CommandError("Nothing to set: name at least one option.")
        self.multisite.update_region(parsed_args.name, region["generation"], **fields)


def changes(parsed_args: argparse.Namespace, region: dict[str, Any]) -> dict[str, Any]:
    """The fields whose new value depends on the present one, or is nothing."""
    fields: dict[str, Any] = {}
    if parsed_args.no_dashboard_url:
        fields["dashboard_url"] = None
    if parsed_args.no_sweep_interval:
        fields["sweep_interval"] = None
    if "labels" in parsed_args or parsed_args.no_label or parsed_args.removed_labels:
        present = {} if parsed_args.no_label else dict(region["labels"] or {})
        kept = {key: value for key, value in present.items() if key not in parsed_args.removed_labels}
        fields["labels"] = kept | getattr(parsed_args, "labels", {})
    if parsed_args.no_maintenance and parsed_args.maintenance_until:
        raise exceptions.CommandError("--maintenance-until does not go with --no-maintenance.")
    if parsed_args.no_maintenance:
        fields["maintenance"] = None
    elif parsed_args.maintenance or parsed_args.maintenance_until:
        reason = parsed_args.maintenance or (region["maintenance"] or {}).get("reason")
        if not reason:
            raise exceptions.CommandError("--maintenance-until needs --maintenance <reason>.")
        fields["maintenance"] = {"reason": reason}
        if parsed_args.maintenance_until:
            fields["maintenance"]["ends_at"] = parsed_args.maintenance_until
    return fields
