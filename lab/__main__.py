"""The command line, `python -m lab`: one table of commands, one function for each."""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lab import clouds, install, lifecycle, logs, state, status, units
from lab.console import Progress
from lab.errors import LabError
from lab.layout import OWN, SHARED, root_folder
from lab.populate import populate


@dataclasses.dataclass(frozen=True)
class Call:
    """What a command gets: its arguments, the lab's folder, where to report."""

    arguments: argparse.Namespace
    root: Path
    progress: Progress


def _install(call: Call) -> int:
    install.ensure(state.load(call.root), call.progress)
    return 0


def _up(call: Call) -> int:
    wanted = call.arguments.keystone_per_region
    layout = OWN if wanted else SHARED
    lab = state.for_up(call.root, layout, call.arguments.regions)
    lifecycle.up(lab, call.progress)
    if call.arguments.populate:
        populate(lab, call.progress)
    return 0


def _populate(call: Call) -> int:
    populate(state.running(call.root), call.progress)
    return 0


def _down(call: Call) -> int:
    lifecycle.down(state.load(call.root), call.progress)
    return 0


def _destroy(call: Call) -> int:
    lifecycle.destroy(state.load(call.root), call.progress)
    return 0


def _status(call: Call) -> int:
    lab = state.load(call.root)
    rows = status.rows(lab)
    print(status.table(lab, rows))
    return 0 if status.is_complete(rows) else 1


def _env(call: Call) -> int:
    print(clouds.text(state.load(call.root)), end="")
    return 0


def _logs(call: Call) -> int:
    lab = state.load(call.root)
    for line in logs.of(lab, call.arguments.unit, call.arguments.lines, follow=call.arguments.follow):
        print(line, flush=call.arguments.follow)
    return 0


def _act(call: Call) -> int:
    lab = state.running(call.root)
    for unit in call.arguments.unit:
        units.act(lab, call.arguments.command, unit, call.progress)
    return 0


@dataclasses.dataclass(frozen=True)
class Command:
    """One line of the table: `changes` says that the command takes the lab's lock."""

    run: Callable[[Call], int]
    help: str
    changes: bool = True


COMMANDS = {
    "install": Command(_install, "install MariaDB, RabbitMQ and the OpenStack services"),
    "up": Command(_up, "bring the regions up and wait until they are ready"),
    "populate": Command(_populate, "put projects, servers, volumes … into the regions"),
    "status": Command(_status, "show each process; exit 1 unless everything runs", changes=False),
    "env": Command(_env, "print a clouds.yaml for all regions", changes=False),
    "logs": Command(_logs, "show the logs of a unit, or all", changes=False),
    "stop": Command(_act, "end the processes of a unit"),
    "start": Command(_act, "start the processes of a unit again"),
    "pause": Command(_act, "freeze a unit: its callers hang"),
    "resume": Command(_act, "let a paused unit go on"),
    "down": Command(_down, "end everything, keep the state"),
    "destroy": Command(_destroy, "end everything and delete the state of this layout"),
}


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    main_parser = argparse.ArgumentParser(
        prog="python -m lab", description="Real OpenStack regions on one machine."
    )
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {name: commands.add_parser(name, help=command.help) for name, command in COMMANDS.items()}
    up = parsers["up"]
    up.add_argument("--regions", type=int, metavar="N", help="how many (by default as before, or 3)")
    up.add_argument("--keystone-per-region", action="store_true", help="each region has its own Keystone")
    up.add_argument("--populate", action="store_true", help="then put things into them")
    for action in units.ACTIONS:
        parsers[action].add_argument(
            "unit", nargs="+", help="RegionTwo, RegionTwo:cinder, RegionTwo:nova-api, keystone"
        )
    parsers["logs"].add_argument("unit", nargs="?")
    parsers["logs"].add_argument("-n", "--lines", type=int, default=20)
    parsers["logs"].add_argument("-f", "--follow", action="store_true", help="go on as lines are added")
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answer its exit code."""
    call = Call(parser().parse_args(arguments), root_folder(), Progress())
    command = COMMANDS[call.arguments.command]
    try:
        if not command.changes:
            return command.run(call)
        with state.locked(call.root, call.progress):
            return command.run(call)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except (BrokenPipeError, KeyboardInterrupt):
        return 130


if __name__ == "__main__":
    sys.exit(main())
