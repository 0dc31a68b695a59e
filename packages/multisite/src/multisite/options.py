"""Every option of multisite.conf, with its help text.

The sample file and docs/reference/configuration.md are made of these (a test compares).
"""

from typing import Any

from oslo_config import cfg

DATABASE = [
    cfg.StrOpt(
        "connection",
        default="sqlite:///multisite.sqlite",
        secret=True,
        help="Where multisite keeps what it knows: sqlite:///FILE (relative to the working directory; four "
        "slashes for an absolute path) or postgresql://USER:PASSWORD@HOST/NAME.",
    ),
]

API = [
    cfg.HostAddressOpt("host", default="127.0.0.1", help="Address on which the API and the page listen."),
    cfg.PortOpt("port", default=8118, help="Port on which the API and the page listen."),
    cfg.StrOpt(
        "root_path",
        default="",
        help="Path under which a proxy serves multisite, such as /multisite; empty for none.",
    ),
    cfg.StrOpt(
        "public_url",
        default="",
        help="Address at which users reach multisite, root path included, such as "
        "https://cloud.example/multisite; links are made of it. Empty: of the address in the request.",
    ),
    cfg.ListOpt(
        "forwarded_allow_ips",
        default=["127.0.0.1"],
        help="Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto headers are believed.",
    ),
    cfg.StrOpt(
        "certificate_file", help="TLS certificate (PEM, chain included). Without it plain HTTP is served."
    ),
    cfg.StrOpt("key_file", help="Key of the TLS certificate (PEM)."),
]

REGIONS = [
    cfg.StrOpt(
        "clouds_file",
        help="The clouds.yaml whose entries are the credentials of regions. Unset: the places where "
        "openstacksdk looks (./clouds.yaml, ~/.config/openstack, /etc/openstack).",
    ),
    cfg.FloatOpt(
        "call_deadline", default=10.0, min=0.1, help="Seconds within which a call has to be answered."
    ),
    cfg.FloatOpt(
        "connect_deadline", default=3.0, min=0.1, help="Seconds within which a connection has to stand."
    ),
    cfg.FloatOpt(
        "action_deadline",
        default=30.0,
        min=0.1,
        help="Seconds within which a call that a user makes through multisite has to be answered.",
    ),
    cfg.IntOpt(
        "calls_at_once", default=200, min=1, help="Calls to all regions that may be under way at once."
    ),
    cfg.IntOpt(
        "calls_at_once_per_region",
        default=8,
        min=1,
        help="Calls to one region that may be under way at once.",
    ),
]

SWEEP = [
    cfg.IntOpt("interval", default=60, min=1, help="Seconds between two reads of a region's capacity."),
    cfg.IntOpt(
        "health_interval",
        default=15,
        min=1,
        help="Seconds after which a service that was not heard from is probed.",
    ),
    cfg.FloatOpt(
        "jitter", default=0.1, min=0, max=0.5, help="Share of the interval by which reads are spread."
    ),
    cfg.FloatOpt(
        "deadline", default=30.0, min=1, help="Seconds within which all of one service has to be read."
    ),
    cfg.FloatOpt(
        "fresh_deadline", default=10.0, min=0.1, help="Seconds that a request with fresh=true waits at most."
    ),
    cfg.IntOpt(
        "inventory_age",
        default=600,
        min=0,
        help="Seconds after which a provider's inventory is read again even if its generation stands.",
    ),
    cfg.IntOpt("image_interval", default=600, min=1, help="Seconds between two reads of the list of images."),
    cfg.IntOpt("regions_at_once", default=50, min=1, help="Regions that are read at the same time."),
]

USAGE = [
    cfg.StrOpt(
        "projects",
        default="asked",
        choices=[
            ("asked", "projects that somebody asked for lately"),
            ("all", "every project of the home Keystone; for small clouds"),
        ],
        help="Whose use is read.",
    ),
    cfg.IntOpt("interval", default=300, min=1, help="Seconds between two reads of a project's use."),
    cfg.IntOpt(
        "keep", default=86400, min=0, help="Seconds for which use is kept fresh after the last question."
    ),
]

INVENTORY = [
    cfg.BoolOpt(
        "enabled", default=True, help="Whether servers, volumes, networks and so on of all regions are read."
    ),
    cfg.IntOpt("interval", default=60, min=1, help="Seconds between two reads of a region's items."),
    cfg.IntOpt(
        "full_interval",
        default=3600,
        min=1,
        help="Seconds between two reads of all items, instead of those that changed.",
    ),
]

HISTORY = [
    cfg.IntOpt(
        "keep",
        default=86400,
        min=3600,
        help="Seconds for which every change of a region's capacity is kept; of what is older, one reading "
        "an hour stays.",
    ),
    cfg.IntOpt(
        "keep_hourly",
        default=7776000,
        min=3600,
        help="Seconds for which one reading an hour is kept (90 days by default).",
    ),
]

OPERATIONS = [
    cfg.FloatOpt(
        "beat",
        default=5.0,
        min=0.1,
        max=600,
        help="Seconds between two signs of life of a process to the others.",
    ),
    cfg.FloatOpt(
        "ttl",
        default=20.0,
        min=0.5,
        max=3600,
        help="Seconds without a sign of life after which the others take over the work of a process, and the "
        "sweeps of its regions. At least three times `beat`.",
    ),
    cfg.IntOpt(
        "at_once",
        default=50,
        min=1,
        max=10000,
        help="Parts of operations that run at the same time, over all processes.",
    ),
    cfg.IntOpt(
        "test_interval",
        default=0,
        min=0,
        help="Seconds between two tests of the credentials of all regions, as `region test --all` makes "
        "them; begun once by all processes together. 0 turns them off.",
    ),
    cfg.IntOpt(
        "keep",
        default=2592000,
        min=60,
        max=315360000,
        help="Seconds for which operations that ended are kept (30 days by default).",
    ),
    cfg.IntOpt(
        "keep_journal",
        default=31536000,
        min=86400,
        max=315360000,
        help="Seconds for which writes to regions are kept in the journal (365 days by default); those of an "
        "operation at least as long as the operation.",
    ),
    cfg.IntOpt(
        "keep_audit",
        default=31536000,
        min=86400,
        max=315360000,
        help="Seconds for which records of the audit trail are kept (365 days by default).",
    ),
]

QUOTAS = [
    cfg.IntOpt(
        "interval",
        default=60,
        min=1,
        max=86400,
        help="Seconds between two balances of a project whose quotas multisite keeps.",
    ),
    cfg.IntOpt(
        "at_once",
        default=4,
        min=1,
        max=1000,
        help="Projects that one process balances at the same time.",
    ),
    cfg.FloatOpt(
        "settle",
        default=60.0,
        min=0.0,
        max=3600.0,
        help="Seconds after which a write whose answer was lost is not expected to be done any more. Until "
        "then no other region gets what it may have taken. Longer than any time-out inside the regions.",
    ),
    cfg.FloatOpt(
        "burst",
        default=0.2,
        min=0.0,
        max=10.0,
        help="Part of a soft limit that may be handed out beyond what is left, where the limit names none.",
    ),
    cfg.FloatOpt(
        "warning",
        default=0.8,
        min=0.0,
        max=1.0,
        help="Part of a global limit from which on its use raises a warning.",
    ),
    cfg.FloatOpt(
        "critical",
        default=0.95,
        min=0.0,
        max=1.0,
        help="Part of a global limit from which on its use is critical.",
    ),
    cfg.FloatOpt(
        "ask_interval",
        default=10.0,
        min=0.0,
        max=3600.0,
        help="Seconds between two balances of one project that tenants ask for.",
    ),
    cfg.ListOpt(
        "webhook_url",
        secret=True,
        help="Addresses to which every event of quotas is sent (POST, JSON, signed), such as "
        "https://hooks.example/multisite. None: events are in the API only.",
    ),
    cfg.StrOpt(
        "webhook_secret_file",
        help="File with the secret that signs what is sent to webhook_url; it has 16 characters or more. "
        "While the secret changes, a line each for the new and the old one.",
    ),
    cfg.IntOpt("keep_events", default=30, min=1, max=3650, help="Days for which events of quotas are kept."),
]

PAGE = [
    cfg.BoolOpt("enabled", default=True, help="Whether the page is served beside the API."),
    cfg.StrOpt(
        "secret_file",
        default="page.key",
        help="File (mode 0600, made when it is missing) with the key that seals the page's session cookies. "
        "Processes that serve the same address need the same key.",
    ),
    cfg.FloatOpt(
        "events_interval", default=2.0, min=0.2, help="Seconds between two looks for changed tiles."
    ),
]

METRICS = [
    cfg.HostAddressOpt("host", default="127.0.0.1", help="Address on which /metrics listens."),
    cfg.PortOpt("port", default=8119, help="Port on which /metrics listens; 0 turns it off."),
    cfg.StrOpt("token_file", help="File with a bearer token that /metrics then asks for."),
]

THRESHOLDS = [
    cfg.DictOpt(
        "percent_free",
        default={"VCPU": "10", "MEMORY_MB": "10", "DISK_GB": "10", "volume": "10", "external_ipv4": "10"},
        help="Per resource class, and for volume and external_ipv4: warn when a smaller percentage is free.",
    ),
]

GROUPS: dict[str, list[Any]] = {
    "database": DATABASE,
    "api": API,
    "regions": REGIONS,
    "sweep": SWEEP,
    "usage": USAGE,
    "inventory": INVENTORY,
    "history": HISTORY,
    "operations": OPERATIONS,
    "quotas": QUOTAS,
    "page": PAGE,
    "metrics": METRICS,
    "thresholds": THRESHOLDS,
}


#: Defaults of [keystone_authtoken] that differ from the library's: bounded waits, a short memory of tokens.
TOKEN_DEFAULTS = {
    "token_cache_time": 30,
    "include_service_catalog": False,
    "http_connect_timeout": 5,
    "http_request_max_retries": 1,
    "service_type": "multisite",
}


def list_options() -> list[tuple[str, list[Any]]]:
    """What the sample generator of oslo.config asks for."""
    return list(GROUPS.items())
