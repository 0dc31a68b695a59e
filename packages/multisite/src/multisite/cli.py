"""`multisite`: what is done on the server.

    multisite serve              the API, the page and the sweep
    multisite db upgrade         make or upgrade the database
    multisite service register   user, service and endpoint into the home Keystone
    multisite sim                simulated OpenStack regions, for demos and tests
    multisite sample config      a documented multisite.conf
    multisite sample policy      a documented policy.yaml

Every failure that has a known cause is one sentence on stderr and a non-zero exit.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from multisite import __version__
from multisite.errors import MultisiteError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit status."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except MultisiteError as error:
        print(f"multisite: {error.detail}", file=sys.stderr)  # noqa: T201 - a command's way to speak
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has had enough; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="multisite", description="One service over many OpenStack regions.")
    parser.add_argument("--version", action="version", version=f"multisite {__version__}")
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument(
        "--config-file",
        action="append",
        type=Path,
        metavar="FILE",
        help="configuration file (default: multisite.conf in ~/.multisite, ~, /etc/multisite, /etc)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", parents=[config], help="run the API, the page and the sweep")
    serve.add_argument(
        "--workers",
        type=_count,
        default=1,
        metavar="N",
        help="processes that share the work; more than one need PostgreSQL (default: %(default)s)",
    )
    serve.set_defaults(run=_serve)
    database = commands.add_parser("db", help="the database").add_subparsers(required=True, metavar="VERB")
    upgrade = database.add_parser("upgrade", parents=[config], help="make or upgrade the database")
    upgrade.set_defaults(run=_db_upgrade)
    _add_service(commands, config)
    _add_sim(commands)
    sample = commands.add_parser("sample", help="sample files").add_subparsers(required=True, metavar="FILE")
    sample.add_parser("config", help="a documented multisite.conf").set_defaults(run=_sample_config)
    sample.add_parser("policy", help="a documented policy.yaml").set_defaults(run=_sample_policy)
    return parser


def _count(text: str) -> int:
    """One or more, as text."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of processes")
    return int(text)


def _add_service(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", config: argparse.ArgumentParser
) -> None:
    verbs = commands.add_parser("service", help="the home Keystone").add_subparsers(
        required=True, metavar="VERB"
    )
    register = verbs.add_parser(
        "register", parents=[config], help="put user, service and endpoint into the home Keystone"
    )
    register.add_argument(
        "--credential", required=True, metavar="ENTRY", help="administrator's clouds.yaml entry"
    )
    register.add_argument(
        "--url", required=True, help="public URL of multisite, such as https://cloud.example:8118"
    )
    register.add_argument("--region", metavar="NAME", help="region of the endpoint (default: the entry's)")
    register.add_argument(
        "--user", default="multisite", help="name of the service user (default: %(default)s)"
    )
    register.add_argument(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="file with the service user's password; without it no user is made",
    )
    register.set_defaults(run=_service_register)


def _add_sim(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from multisite.sim.commands import add_arguments

    add_arguments(commands.add_parser("sim", help="simulated OpenStack regions, for demos and tests"))


def _serve(options: argparse.Namespace) -> int:
    from multisite.server import serve

    return serve(options.config_file, options.workers)


def _db_upgrade(options: argparse.Namespace) -> int:
    from multisite.db import schema
    from multisite.db.alone import alone_on_file
    from multisite.engine import durable
    from multisite.settings import load

    database = load(files=options.config_file).database
    with alone_on_file(database, "stop it before the upgrade"):
        before, after = schema.upgrade(database)
        durable.migrate(database)
    changed = "is up to date" if before == after else f"upgraded from {before or 'nothing'}"
    print(f"database: schema {after}, {changed}")  # noqa: T201
    return 0


def _service_register(options: argparse.Namespace) -> int:
    from multisite.openstack.registration import register
    from multisite.settings import load

    password = None
    if options.password_file:
        try:
            password = options.password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise MultisiteError(f"{options.password_file} cannot be read: {error.strerror}") from error
    settings = load(files=options.config_file)
    for line in register(
        settings.regions.clouds_file,
        options.credential,
        url=options.url,
        region=options.region,
        user=options.user,
        password=password,
    ):
        print(line)  # noqa: T201
    return 0


def _sample_config(_: argparse.Namespace) -> int:
    from multisite.samples import config

    print(config())  # noqa: T201
    return 0


def _sample_policy(_: argparse.Namespace) -> int:
    from multisite.samples import policy

    print(policy())  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
