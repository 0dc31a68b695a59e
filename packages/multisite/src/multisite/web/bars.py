"""Capacity as bars: how full, how much of it out of service, how much is left.

The five bars of the wall are VCPU, memory, disk, volumes and external IPv4 addresses, in this order
everywhere. A bar has at most two segments: used, and what exists but can take nothing now (hosts that
are down or disabled); the rest of the track is free.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from multisite.capacity.model import (
    AddressCount,
    Capacity,
    ImageSummary,
    NetworkSummary,
    PlacementSummary,
    VolumeSummary,
)
from multisite.regions.states import State
from multisite.web import figures

#: Placement's names of resource classes, as the page says them, with their units.
CLASSES: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "VCPU": ("VCPU", figures.count),
    "PCPU": ("PCPU", figures.count),
    "MEMORY_MB": ("Memory", figures.from_mebibytes),
    "DISK_GB": ("Disk", figures.from_gibibytes),
}

#: Those among the five bars.
FIVE_CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its texts. `used_share` and `out_share` are percent of the track.

    `state` is that of the service behind the figures; `known` is false where there are none.
    """

    name: str
    label: str
    used: str = ""
    whole: str = ""
    free: str = ""
    used_share: float = 0.0
    out_share: float = 0.0
    note: str = ""
    state: State = State.FRESH
    warned: bool = False
    known: bool = True

    @property
    def share_text(self) -> str:
        """How full, in percent."""
        return figures.percent(self.used_share)

    @property
    def used_width(self) -> str:
        """SVG width of the used segment; a sliver where anything is used at all."""
        width = self.used_share if self.used_share == 0 else max(self.used_share, 0.8)
        return f"{width:.1f}"

    @property
    def out_width(self) -> str:
        """SVG width of the segment that is out of service."""
        return f"{self.out_share:.1f}"


def unknown(name: str, label: str, note: str, state: State = State.FRESH) -> Bar:
    """A bar without figures."""
    return Bar(name, label, note=note, state=state, known=False)


def class_bar(name: str, capacity: Capacity, state: State = State.FRESH) -> Bar:
    """The bar of a Placement resource class."""
    label, text = CLASSES.get(name, (name, figures.count))
    out = capacity.usable - capacity.used - capacity.free
    return Bar(
        name,
        label,
        used=text(capacity.used),
        whole=text(capacity.usable),
        free=text(capacity.free),
        used_share=figures.share(capacity.used, capacity.usable),
        out_share=figures.share(out, capacity.usable) if capacity.usable else 0.0,
        state=state,
    )


def volume_bar(volume: VolumeSummary, state: State = State.FRESH) -> Bar:
    """The bar of Cinder's pools; what has no end or is not known is said in words."""
    notes = [
        f"{number} {'pool' if number == 1 else 'pools'} {word}"
        for number, word in ((volume.pools_unlimited, "unlimited"), (volume.pools_unknown, "unknown"))
        if number
    ]
    if not volume.total:
        return unknown("volume", "Volumes", ", ".join(notes) or "no pool", state)
    used = max(0.0, volume.total - volume.free)
    return Bar(
        "volume",
        "Volumes",
        used=figures.from_gibibytes(used),
        whole=figures.from_gibibytes(volume.total),
        free=figures.from_gibibytes(volume.free),
        used_share=figures.share(used, volume.total),
        note=", ".join(notes),
        state=state,
    )


def address_bar(addresses: AddressCount, state: State = State.FRESH) -> Bar:
    """The bar of external IPv4 addresses."""
    if not addresses.total:
        return unknown("external_ipv4", "Ext. IPv4", "no external subnet", state)
    return Bar(
        "external_ipv4",
        "Ext. IPv4",
        used=figures.count(addresses.used),
        whole=figures.count(addresses.total),
        free=figures.count(addresses.free),
        used_share=figures.share(addresses.used, addresses.total),
        state=state,
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """The figures behind five bars, `None` for a service that was never read, and the services' states."""

    placement: PlacementSummary | None
    volume: VolumeSummary | None
    network: NetworkSummary | None
    image: ImageSummary | None = None
    placement_state: State = State.FRESH
    volume_state: State = State.FRESH
    network_state: State = State.FRESH


def five_bars(parts: Parts, warned: Collection[str] = ()) -> tuple[Bar, ...]:
    """VCPU, memory, disk, volumes and external IPv4 addresses."""
    return tuple(_mark(bar, warned) for bar in _five(parts))


def _five(parts: Parts) -> Iterable[Bar]:
    for name in FIVE_CLASSES:
        state = parts.placement_state
        capacity = parts.placement.resources.get(name) if parts.placement else None
        if capacity is None:
            note = "never read" if parts.placement is None else "none"
            yield unknown(name, CLASSES[name][0], _absent(state) or note, state)
        else:
            yield class_bar(name, capacity, state)
    if parts.volume is None:
        yield unknown("volume", "Volumes", _absent(parts.volume_state) or "never read", parts.volume_state)
    else:
        yield volume_bar(parts.volume, parts.volume_state)
    if parts.network is None:
        note = _absent(parts.network_state) or "never read"
        yield unknown("external_ipv4", "Ext. IPv4", note, parts.network_state)
    else:
        yield address_bar(parts.network.external_ipv4, parts.network_state)


def _absent(state: State) -> str:
    return "no such service" if state is State.ABSENT else ""


def _mark(bar: Bar, warned: Collection[str]) -> Bar:
    return replace(bar, warned=True) if bar.name in warned else bar
