"""What can be done to items from the page, in one table. To offer one more action is to add a row here.

A form that asks for nothing is a button on the item's page; one that asks has a page of its own, where it
also says what the region refused. The region decides; statuses here only spare a visitor vain tries.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from multisite.actions.model import Action
from multisite.actions.table import ACTIONS, BY_NAME
from multisite.inventory.model import InventoryRow


class Asks(Enum):
    """What a form needs to know."""

    NOTHING = ""
    CONFIRMATION = "confirmation"
    FLAVOR = "flavor"
    SERVER = "server"
    ONE_OF_ITS_SERVERS = "one of its servers"


@dataclass(frozen=True, slots=True)
class Form:
    """One action as a form: its button, in which statuses it makes sense (empty: in all), what it asks."""

    action: Action
    label: str
    statuses: frozenset[str] = frozenset()
    asks: Asks = Asks.NOTHING
    fixed: Mapping[str, str] = field(default_factory=dict)
    danger: bool = False

    @property
    def name(self) -> str:
        """What stands in the address."""
        return "-".join([self.action.name, *self.fixed.values()])


def _form(kind: str, action: str, label: str, statuses: Iterable[str] = (), **more: object) -> Form:
    return Form(BY_NAME[kind, action], label, frozenset(statuses), **more)  # type: ignore[arg-type]


_RUNNING = ("ACTIVE", "PAUSED", "SUSPENDED", "REBOOT", "HARD_REBOOT", "ERROR", "SHUTOFF")

FORMS: Mapping[str, tuple[Form, ...]] = {
    "servers": (
        _form("servers", "start", "Start", ["SHUTOFF"]),
        _form("servers", "stop", "Stop", ["ACTIVE", "ERROR"]),
        _form("servers", "reboot", "Reboot", ["ACTIVE"], fixed={"type": "soft"}),
        _form("servers", "reboot", "Reboot hard", _RUNNING, fixed={"type": "hard"}),
        _form("servers", "confirm-resize", "Confirm the resize", ["VERIFY_RESIZE"]),
        _form("servers", "revert-resize", "Revert the resize", ["VERIFY_RESIZE"]),
        _form("servers", "resize", "Resize", ["ACTIVE", "SHUTOFF"], asks=Asks.FLAVOR),
        _form("servers", "delete", "Delete", asks=Asks.CONFIRMATION, danger=True),
    ),
    "volumes": (
        _form("volumes", "attach", "Attach", ["available", "in-use"], asks=Asks.SERVER),
        _form("volumes", "detach", "Detach", ["in-use"], asks=Asks.ONE_OF_ITS_SERVERS),
        _form(
            *("volumes", "delete", "Delete", ["available", "error", "error_restoring", "error_extending"]),
            asks=Asks.CONFIRMATION,
            danger=True,
        ),
    ),
    "floating-ips": (
        _form("floating-ips", "associate", "Associate", ["DOWN", "ERROR"], asks=Asks.SERVER),
        _form("floating-ips", "disassociate", "Disassociate", ["ACTIVE"]),
        _form("floating-ips", "delete", "Give back", asks=Asks.CONFIRMATION, danger=True),
    ),
}

#: What a notice says after an action was taken on, by kind and action.
DONE: Mapping[str, str] = {
    f"{kind}:{form.action.name}": f"The region took it on: {form.action.what}."
    for kind, forms in FORMS.items()
    for form in forms
} | {f"{each.kind}:{each.name}": f"The region took it on: {each.what}." for each in ACTIONS if each.creates}


def forms_for(plural: str, row: InventoryRow, allows: Callable[[str], bool]) -> list[Form]:
    """The forms that make sense for an item, of those that the visitor may send."""
    return [
        form
        for form in FORMS.get(plural, ())
        if (not form.statuses or row.status in form.statuses) and allows(form.action.rule)
    ]


def form_called(plural: str, name: str) -> Form | None:
    """The form with a name."""
    return next((form for form in FORMS.get(plural, ()) if form.name == name), None)
