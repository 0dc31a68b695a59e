"""Options of `openstack multisite quota …`: limits, bounds of regions, the project.

A resource is written as everywhere, `compute/cores`; a region's part of one as `oslo:compute/cores`.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from osc_lib import exceptions

from osc_multisite.project import add_project_domain, project_id

Json = dict[str, Any]
SHAPE = "give it like compute/cores=12"
REGION_SHAPE = "give it like oslo:compute/cores=4"


def resource_number(text: str) -> tuple[str, int]:
    """`compute/cores=12` as its parts."""
    resource, equals, number = text.rpartition("=")
    if not equals or "/" not in resource:
        raise argparse.ArgumentTypeError(f"'{text}' is no limit of a resource: {SHAPE}")
    return resource, _number(number, SHAPE)


def region_resource(text: str) -> tuple[str, str]:
    """`oslo:compute/cores` as its parts."""
    region, colon, resource = text.partition(":")
    if not (region and colon) or "/" not in resource:
        raise argparse.ArgumentTypeError(
            f"'{text}' names no resource of a region: give it like oslo:compute/cores"
        )
    return region, resource


def region_number(text: str) -> tuple[str, str, int]:
    """`oslo:compute/cores=4` as its parts."""
    where, equals, number = text.rpartition("=")
    if not equals:
        raise argparse.ArgumentTypeError(
            f"'{text}' gives no number to a resource of a region: {REGION_SHAPE}"
        )
    return *region_resource(where), _number(number, REGION_SHAPE)


def _number(text: str, shape: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number: {shape}") from None


def add_repeated(
    parser: argparse.ArgumentParser, flag: str, metavar: str, kind: Callable[[str], Any], text: str
) -> None:
    """An option that may be repeated; its values are a list."""
    parser.add_argument(
        flag,
        metavar=metavar,
        type=kind,
        action="append",
        default=[],
        help=f"{text} (repeat the option for several)",
    )


def add_limits(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """`--limit`, whether it is soft or hard, and its burst."""
    parser.add_argument(
        "--limit",
        metavar="<resource=number>",
        type=resource_number,
        action="append",
        default=[],
        required=required,
        dest="limits",
        help="Global limit over all regions, like compute/cores=12; -1 is unlimited (repeat the option for "
        "several)",
    )
    kind = parser.add_mutually_exclusive_group()
    for word, text in (
        ("hard", "The limits of --limit are never passed, whatever fails (default for a new limit)"),
        ("soft", "Every region offers what is left, so users feel one limit; use may pass it for a moment"),
    ):
        kind.add_argument(f"--{word}", action="store_const", const=word, dest="kind", help=text)
    add_repeated(
        parser,
        "--burst",
        "<resource=number>",
        resource_number,
        "How much of a soft limit of --limit may be handed out beyond what is left",
    )


def limits_of(parsed_args: argparse.Namespace) -> Json:
    """The `limits` of a request: resource → limit, kind, burst.

    Raises:
        CommandError: a kind or a burst without its limit, two limits of one resource.
    """
    bursts = dict(parsed_args.burst)
    found: Json = {}
    for resource, number in parsed_args.limits:
        if resource in found:
            raise exceptions.CommandError(f"--limit {resource}: it is there twice; name one limit of it.")
        found[resource] = {"limit": number}
        if parsed_args.kind:
            found[resource]["kind"] = parsed_args.kind
        if resource in bursts:
            found[resource]["burst"] = bursts[resource]
    alone = sorted(set(bursts) - set(found))
    if alone:
        raise exceptions.CommandError(f"--burst {alone[0]} needs --limit {alone[0]}=<number> with it.")
    if parsed_args.kind and not found:
        raise exceptions.CommandError(f"--{parsed_args.kind} says how --limit is kept: give --limit with it.")
    return found


def add_project(parser: argparse.ArgumentParser, *, own: bool = False) -> None:
    """The project that a command is about; `own`: by default that of the token."""
    default = " (default: your own)" if own else ""
    parser.add_argument(
        "project",
        metavar="<project>",
        nargs="?" if own else None,
        help=f"Name or ID of the project{default}",
    )
    add_project_domain(parser)


def project_of(command: Any, parsed_args: argparse.Namespace) -> str | None:
    """Its id; `None` for the token's own."""
    return project_id(command.app.client_manager, parsed_args.project, parsed_args.project_domain)


def by_region(parsed_args: argparse.Namespace, fields: Mapping[str, str]) -> Json:
    """The `regions` of a request: region → resource → bounds. `fields`: option → field."""
    found: Json = {}
    for option, name in fields.items():
        for region, resource, number in getattr(parsed_args, option):
            found.setdefault(region, {}).setdefault(resource, {})[name] = number
    return found
