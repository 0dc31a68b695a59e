"""`multisite sim`: the simulator as a program of its own."""

import argparse
import asyncio
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from multisite.sim.clouds import clouds, write_clouds
from multisite.sim.faults import Fault, fault_from
from multisite.sim.http import Refusal
from multisite.sim.plan import Plan
from multisite.sim.world import World

#: So many users are named when it starts.
NAMED = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `multisite sim`."""
    plan = Plan()
    parser.add_argument("--regions", type=int, default=plan.regions, help="how many (default: %(default)s)")
    parser.add_argument("--hosts", type=int, default=plan.hosts, help="per region (default: %(default)s)")
    parser.add_argument(
        "--networks", type=int, default=plan.networks, help="per region (default: %(default)s)"
    )
    parser.add_argument("--servers", type=int, default=plan.servers, help="per region (default: %(default)s)")
    parser.add_argument(
        "--projects", type=int, default=plan.projects, help="of tenants (default: %(default)s)"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=plan.seed,
        help="the same seed makes the same cloud (default: %(default)s)",
    )
    parser.add_argument("--own-keystone", action="store_true", help="a Keystone in each region")
    parser.add_argument(
        "--own-ports", action="store_true", help="a port for each region, from the next one on"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8180, help="port (default: %(default)s; 0 takes any)")
    parser.add_argument(
        "--build-seconds",
        type=float,
        default=plan.build_seconds,
        help="how long a server stays in BUILD (default: 0)",
    )
    parser.add_argument(
        "--fault", action="append", default=[], metavar="JSON",
        help="a fault from the start as JSON, with the fields that docs/howto/simulator.md lists; repeatable",
    )  # fmt: skip
    parser.add_argument("--names", type=_words, default=(), help="of the regions, with commas between them")
    parser.add_argument(
        "--project-names", type=_words, default=(), help="of the tenants' projects, with commas between them"
    )
    parser.add_argument(
        "--load",
        type=_rate,
        default=0.0,
        metavar="RATE",
        help="changes per second in each region (default: 0)",
    )
    parser.add_argument(
        "--clouds-prefix",
        default="sim",
        metavar="TEXT",
        help="begins the entries' names (default: %(default)s)",
    )
    parser.add_argument(
        "--unified",
        type=_words,
        default=(),
        metavar="SERVICES",
        help="those of compute and image, with a comma between them, that take their limits from Keystone",
    )
    parser.add_argument(
        "--unified-regions",
        default=plan.unified_regions,
        metavar="GLOB",
        help="the regions in which they do (default: %(default)s)",
    )
    parser.add_argument("--clouds-file", type=Path, metavar="FILE", help="write a clouds.yaml for this cloud")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Answer until interrupted; the exit status."""
    from multisite.sim.listening import bind, serve  # here: the other commands need no server

    try:
        faults = [_fault(text) for text in options.fault]
        plan = Plan(
            regions=options.regions, hosts=options.hosts, networks=options.networks, servers=options.servers,
            projects=options.projects, seed=options.seed, own_keystone=options.own_keystone,
            build_seconds=options.build_seconds, names=options.names, project_names=options.project_names,
            unified=options.unified, unified_regions=options.unified_regions,
        )  # fmt: skip
        plan, sockets = bind(plan, options.host, options.port, own_ports=options.own_ports)
        if options.clouds_file:
            write_clouds(clouds(World(plan), prefix=options.clouds_prefix), options.clouds_file)
    except (ValueError, Refusal, OSError) as error:
        print(f"multisite sim: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{plan.regions} regions, Keystone at {World(plan).auth_url(plan.region_names()[0])}")  # noqa: T201
    print(f"users {_some(['admin', *plan.tenant_names()])}; a password is the user's name and -sim")  # noqa: T201
    sys.stdout.flush()
    try:
        asyncio.run(serve(plan, sockets, faults, load=options.load))
    except KeyboardInterrupt:
        return 130
    return 0


def _some(names: Sequence[str]) -> str:
    """The first few."""
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")


def _fault(text: str) -> Fault:
    try:
        body = json.loads(text)
    except ValueError:
        raise ValueError(f"--fault: {text!r} is not JSON") from None
    if not isinstance(body, dict):  # a wrong value, not a wrong type of ours
        raise ValueError(f"--fault: {text!r} is not a JSON object")  # noqa: TRY004
    try:
        return fault_from(body)
    except Refusal as refusal:
        raise ValueError(f"--fault: {refusal.message}") from None


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 <= rate < math.inf:
        raise argparse.ArgumentTypeError("write a number from 0 on")
    return rate


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
