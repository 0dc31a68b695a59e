"""Configuration: multisite.conf, read once.

oslo.config is what operators of OpenStack know: one file with sections, `[keystone_authtoken]` and
`[oslo_policy]` among them, and a generated sample. It stays at the edge: `load` turns it into frozen
dataclasses, and nothing else of multisite sees the library (the two that need the raw object,
keystonemiddleware and oslo.policy, get it from `Settings.oslo`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from multisite.errors import ConfigurationError
from multisite.options import GROUPS, TOKEN_DEFAULTS


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Where the API and the page listen."""

    host: str
    port: int
    root_path: str
    public_url: str
    forwarded_allow_ips: str
    certificate_file: Path | None
    key_file: Path | None


@dataclass(frozen=True, slots=True)
class RegionSettings:
    """How regions are called; deadlines in seconds."""

    clouds_file: Path | None
    call_deadline: float
    connect_deadline: float
    action_deadline: float
    calls_at_once: int
    calls_at_once_per_region: int


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """When regions are read; all in seconds, `jitter` a share of the interval."""

    interval: int
    health_interval: int
    jitter: float
    deadline: float
    fresh_deadline: float
    inventory_age: int
    image_interval: int
    regions_at_once: int


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """Which projects' use is read, and how often (seconds)."""

    projects: str
    interval: int
    keep: int


@dataclass(frozen=True, slots=True)
class InventorySettings:
    """Whether, and how often (seconds), the items of regions are read."""

    enabled: bool
    interval: int
    full_interval: int


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """How long (seconds) changes of capacity, and one reading an hour, are kept."""

    keep: int
    keep_hourly: int


@dataclass(frozen=True, slots=True)
class OperationSettings:
    """Durable work; all but `at_once` are in seconds."""

    beat: float
    ttl: float
    at_once: int
    keep: int
    keep_journal: int
    keep_audit: int
    test_interval: int = 0


@dataclass(frozen=True, slots=True)
class QuotaSettings:
    """Quotas over regions; `interval`, `settle`, `ask_interval` in seconds, the others parts of a limit.

    `webhook_url` are where events go, `webhook_secret_file` signs them; `keep_events` is in days.
    """

    interval: int = 60
    at_once: int = 4
    settle: float = 60.0
    burst: float = 0.2
    warning: float = 0.8
    critical: float = 0.95
    ask_interval: float = 10.0
    webhook_url: Sequence[str] = ()
    webhook_secret_file: Path | None = None
    keep_events: int = 30


@dataclass(frozen=True, slots=True)
class PageSettings:
    """The page."""

    enabled: bool
    secret_file: Path
    events_interval: float


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """The listener of /metrics; port 0 turns it off."""

    host: str
    port: int
    token_file: Path | None


@dataclass(frozen=True, slots=True)
class Settings:
    """All of the configuration. `thresholds` maps a resource to the percentage below which it warns."""

    database: str
    api: ApiSettings
    regions: RegionSettings
    sweep: SweepSettings
    usage: UsageSettings
    inventory: InventorySettings
    history: HistorySettings
    operations: OperationSettings
    quotas: QuotaSettings
    page: PageSettings
    metrics: MetricsSettings
    thresholds: Mapping[str, float]
    home_auth_url: str
    token_cache_time: int
    oslo: Any


def load(arguments: Sequence[str] = (), *, files: Sequence[Path] | None = None) -> Settings:
    """The settings from configuration files (default: multisite.conf where oslo.config looks).

    Raises `ConfigurationError` with one sentence.
    """
    # Imported here: only commands that need the configuration pay for its libraries.
    from oslo_config import cfg
    from oslo_log import log

    conf = cfg.ConfigOpts()
    log.register_options(conf)
    _register(conf)
    try:
        conf(list(arguments), project="multisite", default_config_files=_names(files))
        vars(conf).pop("usage", None)  # oslo.config keeps a text of its own where our group belongs
        _check(conf)
        return _freeze(conf)
    except cfg.ConfigFilesNotFoundError as error:
        raise ConfigurationError(f"there is no configuration file {', '.join(error.config_files)}") from error
    except cfg.ConfigFileParseError as error:
        raise ConfigurationError(f"the configuration cannot be read: {_one_line(error)}") from error
    except (cfg.Error, ValueError, OSError) as error:
        raise ConfigurationError(f"the configuration is wrong: {_one_line(error)}") from error


def _names(files: Sequence[Path] | None) -> list[str] | None:
    return None if files is None else [str(file) for file in files]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _register(conf: Any) -> None:
    # Only the names of its options: checking tokens is done in api/auth.py alone.
    from keystonemiddleware.opts import list_auth_token_opts

    for group, options in GROUPS.items():
        conf.register_opts(options, group=group)
    for group, options in list_auth_token_opts():
        conf.register_opts(options, group=group)
    for name, value in TOKEN_DEFAULTS.items():
        conf.set_default(name, value, group="keystone_authtoken")


def _check(conf: Any) -> None:
    """Raise `ConfigurationError` for the first of our values that cannot be, with what would be right.

    oslo.config's own sentence names neither the section nor the value.
    """
    from oslo_config import cfg

    for group, options in GROUPS.items():
        for option in options:
            try:
                conf[group][option.dest]
            except cfg.ConfigFileValueError as error:
                written = _written(conf, group, option.name)
                right = _right(option.type) or f"right: {_one_line(error)}"
                raise ConfigurationError(f"[{group}] {option.name}: {written}is not {right}") from error


def _written(conf: Any, group: str, name: str) -> str:
    """What a file says, with a blank after it; the last one counts. Empty where it is in none."""
    from oslo_config import cfg

    found = ""
    for file in conf.config_file or ():
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(file, sections).parse()
        found = next(iter(sections.get(group, {}).get(name, [])[-1:]), found)
    return found and f"{found!r} "


def _right(kind: Any) -> str:
    """What a number has to be; empty for what is no number."""
    from oslo_config import types

    if not isinstance(kind, types.Number):
        return ""
    what = "a whole number" if isinstance(kind, types.Integer) else "a number"
    if kind.min is not None and kind.max is not None:
        return f"{what} from {kind.min:g} to {kind.max:.10g}"
    return what if kind.min is None else f"{what} of {kind.min:g} or more"


def _freeze(conf: Any) -> Settings:
    return Settings(
        database=conf.database.connection,
        api=ApiSettings(
            host=conf.api.host,
            port=conf.api.port,
            root_path=_root_path(conf.api.root_path),
            public_url=_public_url(conf.api.public_url),
            forwarded_allow_ips=",".join(conf.api.forwarded_allow_ips),
            certificate_file=_path(conf.api.certificate_file),
            key_file=_path(conf.api.key_file),
        ),
        regions=RegionSettings(
            clouds_file=_path(conf.regions.clouds_file),
            call_deadline=conf.regions.call_deadline,
            connect_deadline=conf.regions.connect_deadline,
            action_deadline=conf.regions.action_deadline,
            calls_at_once=conf.regions.calls_at_once,
            calls_at_once_per_region=conf.regions.calls_at_once_per_region,
        ),
        sweep=SweepSettings(**{option.dest: conf.sweep[option.dest] for option in GROUPS["sweep"]}),
        usage=UsageSettings(**{option.dest: conf.usage[option.dest] for option in GROUPS["usage"]}),
        inventory=InventorySettings(
            **{option.dest: conf.inventory[option.dest] for option in GROUPS["inventory"]}
        ),
        history=HistorySettings(conf.history.keep, conf.history.keep_hourly),
        operations=_operations(conf.operations),
        quotas=_quotas(conf.quotas),
        page=PageSettings(conf.page.enabled, Path(conf.page.secret_file), conf.page.events_interval),
        metrics=MetricsSettings(conf.metrics.host, conf.metrics.port, _path(conf.metrics.token_file)),
        thresholds=_thresholds(conf.thresholds.percent_free),
        home_auth_url=_home(conf),
        token_cache_time=conf.keystone_authtoken.token_cache_time,
        oslo=conf,
    )


def _operations(conf: Any) -> OperationSettings:
    if not conf.ttl >= 3 * conf.beat:  # "not": also where one is no number
        raise ConfigurationError(
            f"[operations] ttl: {conf.ttl:g} is less than three times beat ({conf.beat:g}); one late sign of "
            "life would pass for death"
        )
    return OperationSettings(**{option.dest: conf[option.dest] for option in GROUPS["operations"]})


def _quotas(conf: Any) -> QuotaSettings:
    values = {option.dest: conf[option.dest] for option in GROUPS["quotas"]}
    urls = [_webhook(number, url) for number, url in enumerate(values["webhook_url"] or (), start=1)]
    secret_file = _path(values["webhook_secret_file"])
    if urls and secret_file is None:
        raise ConfigurationError("[quotas] webhook_url needs webhook_secret_file: what is sent is signed")
    values |= {"webhook_url": tuple(dict.fromkeys(urls)), "webhook_secret_file": secret_file}
    return QuotaSettings(**values)


def _webhook(number: int, text: str) -> str:
    """An address of a webhook. It may hold a secret, so no sentence repeats it."""
    try:
        parts = urlsplit(text)
        plain = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        plain = False
    written = text.isascii() and text.isprintable() and " " not in text
    if not (plain and written) or "@" in parts.netloc or parts.fragment:
        raise ConfigurationError(
            f"[quotas] webhook_url: number {number} is not an address such as "
            "https://hooks.example/multisite, or it names a user"
        )
    return text


def _root_path(text: str) -> str:
    if text and not text.startswith("/"):
        raise ConfigurationError(f"[api] root_path: {text} does not begin with a slash, as /{text} does")
    return text.rstrip("/")


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    plain = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
    if text and (not plain or "@" in parts.netloc):
        raise ConfigurationError(
            f"[api] public_url: {text.rpartition('@')[2]} is not an address such as "
            "https://cloud.example/multisite, or it names a user"
        )
    return text.rstrip("/")


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


def _thresholds(pairs: Mapping[str, str]) -> dict[str, float]:
    thresholds = {}
    for resource, text in pairs.items():
        try:
            percent = float(text)
        except ValueError:
            percent = -1.0
        if not 0 <= percent <= 100:  # noqa: PLR2004 - a percentage
            raise ConfigurationError(
                f"[thresholds] percent_free: {resource}:{text} is not a percentage from 0 to 100"
            )
        thresholds[resource] = percent
    return thresholds


def _home(conf: Any) -> str:
    """Where users authenticate: also where the page logs them in."""
    return str(conf.keystone_authtoken.www_authenticate_uri or "").rstrip("/")
