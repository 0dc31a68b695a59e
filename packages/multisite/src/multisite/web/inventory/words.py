"""How the page calls kinds, their statuses, and how a status is to be taken."""

from collections.abc import Mapping

from multisite.inventory.kinds import BY_NAME, BY_PLURAL

KEYPAIRS = "keypairs"

#: What stands in the navigation, in its order, by the plural in the address.
TITLES: Mapping[str, str] = {
    **{plural: plural.replace("-", " ").capitalize() for plural in BY_PLURAL},
    "floating-ips": "Floating IPs",
    KEYPAIRS: "Keypairs",
}

_VOLUME = (
    *("available", "in-use", "creating", "deleting", "attaching", "detaching", "extending", "backing-up"),
    *("restoring-backup", "error", "error_deleting"),
)

#: The statuses that a filter offers; kinds that are not here have none.
STATUSES: Mapping[str, tuple[str, ...]] = {
    "servers": (
        *("ACTIVE", "SHUTOFF", "ERROR", "BUILD", "REBOOT", "RESIZE", "VERIFY_RESIZE", "PAUSED", "SUSPENDED"),
        *("SHELVED", "SHELVED_OFFLOADED", "RESCUE", "MIGRATING"),
    ),
    "volumes": _VOLUME,
    "snapshots": ("available", "creating", "deleting", "error", "error_deleting"),
    "backups": ("available", "creating", "restoring", "deleting", "error"),
    "images": ("active", "queued", "saving", "importing", "deactivated"),
    "networks": ("ACTIVE", "BUILD", "DOWN", "ERROR"),
    "ports": ("ACTIVE", "BUILD", "DOWN", "ERROR", "N/A"),
    "routers": ("ACTIVE", "DOWN", "ERROR"),
    "floating-ips": ("ACTIVE", "DOWN", "ERROR"),
}

#: Kinds that have addresses, and can be filtered by them.
WITH_ADDRESSES = frozenset({"servers", "ports", "subnets", "routers", "floating-ips"})

_GOOD = frozenset({"active", "available", "in-use"})
_OFF = frozenset(
    {"shutoff", "down", "paused", "suspended", "shelved", "shelved_offloaded", "deactivated", "n/a"}
)


def tone(status: str | None) -> str:
    """How a status is to be taken: `good`, `bad`, `off`, or `busy` for everything in between."""
    folded = (status or "").casefold()
    if folded in _GOOD:
        return "good"
    if folded.startswith("error") or folded in {"killed", "deleted", "soft_deleted"}:
        return "bad"
    return "off" if folded in _OFF else "busy"


def noun(plural: str, number: int = 1) -> str:
    """`server`, `2 servers` without the number: what so many items of a kind are called."""
    if plural == KEYPAIRS:
        return "keypair" if number == 1 else plural
    word = plural.replace("-", " ").replace("ips", "IPs")
    return word if number != 1 else word.removesuffix("s")


def plural_of(kind: str) -> str:
    """The plural in addresses of a kind's own name."""
    return BY_NAME[kind].plural
