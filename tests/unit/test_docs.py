"""The documentation says what the code does: all of it, and nothing that is not there.

Each test takes a set from the code (options, routes, rules, codes, commands, metrics, targets) and the same
set from the tables of a page, and wants them equal: a thing without a row fails, and so does a row without
a thing. Then every page is read for links, commands and names that lead nowhere.
"""

import argparse
import configparser
import re
import shlex
import tomllib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import keystoneauth1.loading
import oslo_log._options
import oslo_policy.opts
import pytest
import yaml
from fastapi import FastAPI
from keystonemiddleware.opts import list_auth_token_opts

from lab.__main__ import parser as lab_parser
from multisite import cli, metrics
from multisite.api.routes import ROUTES, add_routes
from multisite.capacity.service import CapacityListing
from multisite.capacity.totals import totals
from multisite.clock import FixedClock
from multisite.db import schema as schemas
from multisite.engine.model import STEP_CODES
from multisite.engine.model import State as OperationState
from multisite.errors import MultisiteError
from multisite.inventory.refresher import RefreshStatus
from multisite.openstack.failures import CODES
from multisite.options import GROUPS, TOKEN_DEFAULTS
from multisite.quotas.balancer import BalancerStatus
from multisite.quotas.delivery.deliverer import DelivererStatus
from multisite.quotas.figures import QuotaFigures
from multisite.regions.states import State
from multisite.rules import list_rules
from multisite.sweeps.scheduler import SchedulerStatus
from multisite.web.headers import SECURITY_HEADERS
from multisite.web.pages import Pages, create_pages
from multisite.web.session import SessionSealer

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
TROUBLES = ROOT / "docs" / "howto" / "troubleshooting.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md")])
IDS = [str(page.relative_to(ROOT)) for page in PAGES]

Row = Mapping[str, str]


# -- reading pages -------------------------------------------------------------


def read(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def sections(text: str, level: int = 2) -> dict[str, str]:
    """Heading → what stands below it, for the headings of one level."""
    parts = re.split(rf"^{'#' * level} (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> list[Row]:
    """The rows of all tables in a text, by the words of the table's head."""
    found: list[Row] = []
    head: list[str] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if not head:
            head = cells
        elif not set("".join(cells)) <= set("-: "):
            assert len(cells) == len(head), f"a row of another width than its head: {line}"
            found.append(dict(zip(head, cells, strict=True)))
    return found


def plain(cell: str) -> str:
    """A cell without its backticks."""
    return cell.replace("`", "")


def column(text: str, key: str, value: str) -> dict[str, str]:
    """Two columns of the tables that have both."""
    return {plain(row[key]): plain(row[value]) for row in rows(text) if key in row and value in row}


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(text: str, *languages: str) -> list[str]:
    """The code blocks of these languages; indented ones (in lists) without their indent."""
    found = re.finditer(r"^([ ]*)```(\w+)\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{each[1]}", "", each[3], flags=re.MULTILINE) for each in found if each[2] in languages]


def inline(text: str) -> list[str]:
    """What stands in backticks in running text; lines may break inside."""
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", without_blocks(text))]


# -- options -------------------------------------------------------------------


def shown(default: object) -> str:
    """A default as the tables write it."""
    if default is None:
        return "unset"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Mapping):
        return ",".join(f"{key}:{value}" for key, value in default.items())
    if isinstance(default, list):
        return ",".join(map(str, default))
    return str(default) if default != "" else "empty"


def known_elsewhere() -> dict[str, dict[str, object]]:
    """Options of the libraries that read our file, by section; names as files write them."""
    token = {option.name: option.default for _, options in list_auth_token_opts() for option in options}
    plugin = keystoneauth1.loading.get_plugin_loader("password").get_options()
    token |= {option.dest: option.default for option in plugin} | TOKEN_DEFAULTS
    policy = {
        option.name: option.default for _, options in oslo_policy.opts.list_opts() for option in options
    }
    logs = {option.dest: option.default for _, options in oslo_log._options.list_opts() for option in options}
    return {"keystone_authtoken": token, "oslo_policy": policy, "DEFAULT": logs}


def known_options() -> dict[str, set[str]]:
    ours = {group: {option.name for option in options} for group, options in GROUPS.items()}
    return ours | {section: set(options) for section, options in known_elsewhere().items()}


OPTIONS = sections(read("configuration.md"))


def test_every_section_of_the_configuration_is_documented() -> None:
    assert {heading.strip("[]") for heading in OPTIONS} == set(known_options())


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_every_option_is_documented_with_its_default(group: str) -> None:
    documented = column(OPTIONS[f"[{group}]"], "option", "default")

    assert documented == {option.name: shown(option.default) for option in GROUPS[group]}


@pytest.mark.parametrize(
    ("group", "option"),
    [(group, option) for group in GROUPS for option in GROUPS[group]],
    ids=lambda each: str(getattr(each, "name", each)),
)
def test_every_option_is_documented_with_its_bounds(group: str, option: Any) -> None:
    values = column(OPTIONS[f"[{group}]"], "option", "values")[option.name]
    bounds = [getattr(option.type, name, None) for name in ("min", "max")]

    for bound in [*bounds, *(getattr(option.type, "choices", None) or ())]:
        assert bound is None or str(bound) in re.split(r"[ ,]+", values)


@pytest.mark.parametrize("section", sorted(known_elsewhere()))
def test_options_of_libraries_are_documented_as_they_are(section: str) -> None:
    known = {name: shown(default) for name, default in known_elsewhere()[section].items()}
    documented = column(OPTIONS[f"[{section}]"], "option", "default")

    assert documented == {name: known.get(name, "no such option") for name in documented}


def test_every_default_that_we_change_is_documented() -> None:
    assert TOKEN_DEFAULTS.keys() <= column(OPTIONS["[keystone_authtoken]"], "option", "default").keys()


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_no_page_names_an_option_that_does_not_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [found.groups() for code in inline(text) for found in re.finditer(r"\[(\w+)\] ([a-z_]+)", code)]
    for block in blocks(text, "ini"):
        parser = configparser.RawConfigParser(strict=False, default_section="")
        parser.read_string(block)
        if not parser.has_section("Unit"):
            named += [
                (section, option) for section in parser.sections() for option in parser.options(section)
            ]
    known = known_options()

    assert [pair for pair in named if pair[1] not in known.get(pair[0], ())] == []


# -- routes and policy -----------------------------------------------------------


def pages() -> Pages:
    return create_pages(Mock(), SessionSealer(b"k" * 32), Mock(spec=FixedClock))


def test_every_route_of_the_api_is_documented() -> None:
    documented = {code for code in inline(read("api.md")) if re.fullmatch(r"[A-Z]+ /\S*", code)}

    assert documented == {f"{route.method} {route.path}" for route in ROUTES} | {"GET /"}


def openapi() -> dict[str, Any]:
    app = FastAPI()
    add_routes(app)
    return app.openapi()


def test_every_parameter_and_field_of_the_api_is_documented() -> None:
    document = openapi()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = {each["name"] for operation in operations for each in operation.get("parameters", ())}
    for name, schema in document["components"]["schemas"].items():
        if name not in {"ValidationError", "HTTPValidationError"}:
            names |= schema.get("properties", {}).keys()

    assert names - set(re.findall(r"\w+", read("api.md"))) - set(inline(read("api.md"))) == set()


def test_every_route_of_the_page_is_documented() -> None:
    documented = set(column(read("page.md"), "route", "what"))
    served = {
        f"{method} {route.path}"  # type: ignore[attr-defined]
        for route in pages().routes
        for method in route.methods - {"HEAD"}  # type: ignore[attr-defined]
    }

    assert documented == served | {"GET /"}


def test_every_header_of_the_page_is_documented() -> None:
    documented = column(read("page.md"), "header", "value")

    assert documented.pop("Cache-Control")
    assert documented == SECURITY_HEADERS


def test_every_policy_rule_is_documented_with_its_default() -> None:
    assert column(read("policies.md"), "rule", "default") == {
        rule.name: rule.check_str for rule in list_rules()
    }


def test_every_policy_rule_is_documented_with_its_routes() -> None:
    operations = {
        rule.name: ", ".join(f"{item['method']} {item['path']}" for item in rule.operations)
        for rule in list_rules()
        if getattr(rule, "operations", ())
    }

    assert column(read("policies.md"), "rule", "routes") == operations


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_no_page_names_a_rule_that_does_not_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {rule.name for rule in list_rules()}
    named = {code for code in inline(text) if re.fullmatch(r"multisite:\w+:\w+", code)}
    for block in blocks(text, "yaml"):
        document = yaml.safe_load(block)
        named |= {key for key, value in document.items() if isinstance(value, str)}

    assert named <= known


# -- codes and states --------------------------------------------------------------


def error_classes() -> Iterator[type[MultisiteError]]:
    waiting: list[type[MultisiteError]] = [MultisiteError]
    while waiting:
        kind = waiting.pop()
        waiting += [each for each in kind.__subclasses__() if each.__module__.startswith("multisite.")]
        yield kind


def test_every_error_of_the_api_is_documented_with_its_status() -> None:
    documented = column(read("errors.md"), "code", "status")

    assert documented == {kind.code: str(kind.status) for kind in error_classes()}


def test_every_failure_of_a_call_to_a_region_is_documented() -> None:
    documented = column(sections(read("errors.md"))["Failures of calls to regions"], "code", "meaning")

    assert documented == CODES


def test_troubleshooting_knows_every_code() -> None:
    parts = sections(TROUBLES.read_text(encoding="utf-8"))

    def codes(heading: str) -> set[str]:
        return {code.strip() for cell in column(parts[heading], "code", "do") for code in cell.split(",")}

    assert codes("A request is refused") == {kind.code for kind in error_classes()}
    assert codes("A service of a region is `unreachable`") == set(CODES)


def test_every_state_is_documented() -> None:
    assert set(column(read("states.md"), "state", "when")) == set(State)


def test_every_state_of_an_operation_is_documented() -> None:
    documented = column(read("states.md"), "operation", "ended")

    assert documented == {state: "yes" if state.ended else "no" for state in OperationState}


def test_every_failure_of_a_step_is_documented() -> None:
    assert set(column(read("errors.md"), "code", "why a step failed")) == set(STEP_CODES)


# -- commands ------------------------------------------------------------------------


def server_commands(
    parser: argparse.ArgumentParser | None = None, name: str = "multisite"
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command of `multisite` that does something, with its parser."""
    parser = parser or cli._parser()
    branches = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not branches:
        yield name, parser
    for branch in branches:
        for word, child in branch.choices.items():
            yield from server_commands(child, f"{name} {word}")


def own_options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    return {
        option: action
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }


SERVER_COMMANDS = dict(server_commands())


def test_the_schema_that_examples_show_is_this_one() -> None:
    shown = {number for page in PAGES for number in re.findall(r"schema (\d{4})", page.read_text())}
    assert shown == {schemas._head()}


def test_every_server_command_is_documented() -> None:
    assert set(sections(read("server-commands.md"))) == set(SERVER_COMMANDS)


@pytest.mark.parametrize("command", sorted(SERVER_COMMANDS))
def test_every_option_of_a_server_command_is_documented(command: str) -> None:
    options = own_options(SERVER_COMMANDS[command])
    documented = column(sections(read("server-commands.md"))[command], "option", "default")

    assert set(documented) == set(options)
    for option, action in options.items():
        assert (documented[option] == "required") is action.required
        if isinstance(action.default, str):
            assert documented[option] == action.default


def osc_commands() -> dict[str, str]:
    """`region list` → where the class is, from the entry points of the package."""
    project = ROOT / "packages" / "osc-multisite" / "pyproject.toml"
    entries = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["entry-points"]
    return {
        name.removeprefix("multisite_").replace("_", " "): target
        for name, target in entries["openstack.multisite.v1"].items()
    }


def osc_parser(target: str) -> argparse.ArgumentParser:
    module, _, name = target.partition(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of OpenStackClient's own libraries
        command = getattr(import_module(module), name)(None, None)
        parser: argparse.ArgumentParser = command.get_parser("openstack")
    return parser


OSC_COMMANDS = osc_commands()


def test_every_openstack_command_is_documented() -> None:
    assert set(sections(read("commands.md"), level=3)) == set(OSC_COMMANDS)


@pytest.mark.parametrize("command", sorted(OSC_COMMANDS))
def test_no_option_of_an_openstack_command_is_documented_that_does_not_exist(command: str) -> None:
    section = re.split(r"^## ", sections(read("commands.md"), level=3)[command], flags=re.MULTILINE)[0]
    cells = [row["option"] for row in rows(section) if "option" in row]
    documented = {option for cell in cells for option in re.findall(r"--[a-z-]+", cell)}

    assert documented <= set(own_options(osc_parser(OSC_COMMANDS[command])))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_every_make_target_is_documented() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    assert set(column(text, "target", "what it does")) == {f"make {target}" for target in make_targets()}


def typed(text: str) -> Iterator[list[str]]:
    """The words of each command in a page's shell blocks, without sudo, `VAR=…` and the program's path."""
    for block in blocks(text, "console", "sh", "bash", "shell"):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                words = shlex.split(line.removeprefix("$ "))
                while words[0] == "sudo" or re.match(r"[A-Z_]+=", words[0]):
                    words = words[3:] if words[1] == "-u" else words[1:]
                yield [Path(words[0]).name, *words[1:]]


def mistake(words: list[str]) -> str | None:
    """What is wrong with a command of ours; `None` for one that would run, and for other programs."""
    program, *rest = words
    try:
        if program == "make":
            return next((f"no target {word}" for word in rest if word not in make_targets()), None)
        if program == "multisite":
            cli._parser().parse_args(rest)
        elif words[1:3] == ["-m", "lab"]:
            lab_parser().parse_args(rest[2:])
        elif program == "openstack" and "multisite" in rest:
            after = rest[rest.index("multisite") + 1 :]
            length = next((many for many in (3, 2, 1) if " ".join(after[:many]) in OSC_COMMANDS), 0)
            if not length:
                return f"no command {' '.join(after[:2])}"
            osc_parser(OSC_COMMANDS[" ".join(after[:length])]).parse_args(after[length:])
    except SystemExit as end:
        return "wrong options" if end.code else None
    return None


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_in_a_shell_block_would_run(page: Path) -> None:
    wrong = [(words, mistake(words)) for words in typed(page.read_text(encoding="utf-8"))]

    assert [(words, why) for words, why in wrong if why] == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_in_running_text_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    beginnings = {command.removeprefix("multisite ").split()[0] for command in SERVER_COMMANDS}
    known = {
        *(f"make {target}" for target in make_targets()),
        *SERVER_COMMANDS,
        *(f"multisite {word}" for word in beginnings),
        *(f"openstack multisite {command}" for command in OSC_COMMANDS),
    }
    named = [
        re.match(r"(?:openstack multisite|multisite|make)(?: [a-z][a-z-]*)+", code) for code in inline(text)
    ]
    commands = [found[0] for found in named if found]

    def exists(command: str) -> bool:
        return any(command == each or command.startswith(f"{each} ") for each in known)

    assert [command for command in commands if not exists(command)] == []


# -- metrics -----------------------------------------------------------------------------


def families() -> Iterable[Any]:
    yield from metrics._capacity(CapacityListing((), totals(())))
    yield from metrics._health(())
    yield from metrics._sweep(SchedulerStatus())
    yield from metrics._inventory((), datetime.now(UTC))
    yield from metrics._refresh(RefreshStatus())
    yield from metrics._quotas(QuotaFigures({}, 0.0, 0, 0))
    yield from metrics._balances(BalancerStatus())
    yield from metrics._deliveries(DelivererStatus())
    yield metrics._writable(writable=True)


def metric_name(family: Any) -> str:
    return f"{family.name}_total" if family.type == "counter" else str(family.name)


def test_every_metric_is_documented_with_type_and_labels() -> None:
    documented = {
        plain(row["metric"]): (row["type"], plain(row["labels"])) for row in rows(read("metrics.md"))
    }

    assert documented == {
        metric_name(family): (family.type, ", ".join(family._labelnames)) for family in families()
    }


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_no_page_names_a_metric_that_does_not_exist(page: Path) -> None:
    other = {"multisite_endpoint_override", "multisite_session", "multisite_session_login"}
    named = set(re.findall(r"\bmultisite_[a-z_]+", page.read_text(encoding="utf-8"))) - other

    assert named <= {metric_name(family) for family in families()}


# -- every page ----------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page.read_text(encoding="utf-8"))):
        if re.match(r"https?://|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    links = {
        (index.parent / link.partition("#")[0]).resolve()
        for link in re.findall(r"\]\(([^)\s]+)\)", index.read_text(encoding="utf-8"))
    }
    folders = ("tutorial", "howto", "reference")
    written = {page for folder in folders for page in (ROOT / "docs" / folder).glob("*.md")}

    assert written <= links


def test_every_design_record_is_in_their_index() -> None:
    folder = ROOT / "docs" / "design"
    index = (folder / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in folder.glob("0*.md") if f"({page.name})" not in index] == []


@pytest.mark.parametrize(
    "file",
    sorted(each for each in (ROOT / "contrib").iterdir() if each.is_file()),
    ids=lambda file: str(file.name),
)
def test_files_of_contrib_are_shown_as_they_are(file: Path) -> None:
    mark = re.compile(
        rf"<!-- contrib/{re.escape(file.name)} -->\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE
    )
    copies = [copy for page in PAGES for copy in mark.findall(page.read_text(encoding="utf-8"))]

    assert copies == [file.read_text(encoding="utf-8")]
