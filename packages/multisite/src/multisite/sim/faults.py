"""Misbehaviour on command: which fault strikes a call, drawn from a seed."""

import itertools
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from multisite.sim import plan
from multisite.sim.http import Json, Refusal

#: Those that strike before the service is asked, unless told otherwise.
REFUSING = frozenset({"refuse", "status", "expire"})
#: The services as paths, counters and faults name them.
SERVICES = tuple(path.partition("/")[0] for path in plan.SERVICES.values())
#: What each kind does is told in docs/howto/simulator.md and docs/design/0002-simulator.md.
KINDS = frozenset(
    {
        "latency", "hang", "refuse", "reset", "truncate", "garbage", "wrong", "drip", "status", "expire",
        "stale", "contradict", "skew",
    }
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    """One misbehaviour; empty fields fit everything.

    `region`, `service` and `route` are globs (`region-00*`, `compute`, `GET /servers/detail`); `share` of the
    fitting calls is struck, at most `calls` of them (0: no end). It holds for `lasts` seconds
    (0: no end), or for the last ones of each `every` seconds. `seconds` and `spread` belong to `latency`,
    `drip` and `skew`; `status` and `retry_after` to `status`. `done`: whether the service does what it is
    asked all the same; what is refused is not done, unless that is said.
    """

    kind: str
    region: str = "*"
    service: str = "*"
    route: str = "*"
    share: float = 1.0
    calls: int = 0
    every: float = 0.0
    lasts: float = 0.0
    seconds: float = 1.0
    spread: float = 0.0
    status: int = 503
    retry_after: float | None = None
    seed: int = 0
    done: bool | None = None
    id: int = 0
    since: float = 0.0
    struck: int = 0
    kept: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)
    draws: random.Random = field(default_factory=random.Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; there are: {', '.join(sorted(KINDS))}")
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is between 0 and 1, not {self.share:g}")
        if (
            min(self.seconds if self.kind != "skew" else 0, self.spread, self.calls, self.every, self.lasts)
            < 0
        ):
            raise ValueError("seconds, spread, calls, every and lasts are not negative")
        if self.every and not self.lasts < self.every:
            raise ValueError("a fault that comes every so many seconds lasts for fewer than those")
        if self.done is None:
            self.done = self.kind not in REFUSING
        elif not self.done and self.kind not in REFUSING:
            raise ValueError(f"{self.kind} changes an answer, so what was asked is done")
        self.draws = random.Random(f"{self.seed}/{self.kind}/{self.region}/{self.service}/{self.route}")  # noqa: S311

    def fits(self, region: str, service: str, route: str) -> bool:
        """Whether a call is one that this fault is about."""
        return (
            fnmatchcase(region, self.region)
            and fnmatchcase(service, self.service)
            and fnmatchcase(route, self.route)
        )

    def holds(self, now: float) -> bool:
        """Whether it is on at this time (seconds, of the clock that `since` is of)."""
        passed = now - self.since
        if self.every:
            return passed % self.every >= self.every - self.lasts
        return not self.lasts or passed < self.lasts

    def strikes(self) -> bool:
        """Draw whether this call is struck, and count it if so."""
        if self.calls and self.struck >= self.calls:
            return False
        if self.share < 1 and self.draws.random() >= self.share:
            return False
        self.struck += 1
        return True

    def delay(self) -> float:
        """Seconds to wait: fixed, plus up to `spread`."""
        return self.seconds + (self.draws.random() * self.spread if self.spread else 0.0)

    def as_json(self) -> Json:
        """What was set, its id, and how often it struck."""
        return {name.name: getattr(self, name.name) for name in fields(self) if name.repr}


class Faults:
    """All faults that are set."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)
        #: Called with all faults whenever one is set or taken back.
        self.changed: Callable[[list[Fault]], None] = lambda _: None

    def add(self, fault: Fault) -> Fault:
        """Set a fault; it gets an id."""
        fault.id = next(self._ids)
        fault.since = self._clock()
        self._faults.append(fault)
        self.changed(self.all())
        return fault

    def remove(self, fault_id: int | None = None) -> list[Fault]:
        """Take back one fault, or all of them; returns those that were taken back."""
        gone = [fault for fault in self._faults if fault_id is None or fault.id == fault_id]
        self._faults = [fault for fault in self._faults if fault not in gone]
        self.changed(self.all())
        return gone

    def all(self) -> list[Fault]:
        """All faults, oldest first."""
        return list(self._faults)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def choose(self, region: str, service: str, route: str) -> list[Fault]:
        """What strikes this call: a latency, and one other fault at most."""
        latency: list[Fault] = []
        now = self._clock()
        for fault in self._faults:
            fits = fault.kind != "skew" and fault.fits(region, service, route) and fault.holds(now)
            if not fits or not fault.strikes():
                continue
            if fault.kind != "latency":
                return [*latency, fault]
            latency.append(fault)
        return latency

    def skew(self, region: str, service: str) -> float:
        """Seconds by which the clock of a service is ahead."""
        return sum(
            fault.seconds
            for fault in self._faults
            if fault.kind == "skew"
            and fnmatchcase(region, fault.region)
            and fnmatchcase(service, fault.service)
        )


#: Seconds that a fault may be about: as long as clocks can be told.
_Seconds = Annotated[float, Field(ge=0, le=10**9)]
_Glob = Annotated[str, Field(max_length=1000)]


class _Asked(BaseModel):
    """A fault as `/_sim/faults` and the command line take it."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    kind: Annotated[str, Field(max_length=100)]
    region: _Glob = "*"
    service: _Glob = "*"
    route: _Glob = "*"
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    calls: Annotated[int, Field(ge=0)] = 0
    every: _Seconds = 0.0
    lasts: _Seconds = 0.0
    seconds: Annotated[float, Field(ge=-(10**9), le=10**9)] = 1.0
    spread: _Seconds = 0.0
    status: Annotated[int, Field(ge=400, le=599)] = 503
    retry_after: _Seconds | None = None
    seed: int = 0
    done: bool | None = None


def fault_from(body: Json) -> Fault:
    """A fault as `/_sim/faults` and the command line take it. Raises `Refusal`."""
    try:
        fault = Fault(**_Asked.model_validate(body).model_dump())
    except ValidationError as error:
        raise Refusal(400, "; ".join(_sentence(each) for each in error.errors())) from None
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    if not any(fnmatchcase(service, fault.service) for service in SERVICES):
        raise Refusal(400, f"there is no service {fault.service!r}; there are: {', '.join(SERVICES)}")
    return fault


def _sentence(mistake: Mapping[str, Any]) -> str:
    where = ".".join(map(str, mistake["loc"]))
    if mistake["type"] == "extra_forbidden":
        return f"a fault has no field {where!r}; it has: {', '.join(sorted(_Asked.model_fields))}"
    if mistake["type"] == "missing":
        return f"{where}: say which; there are: {', '.join(sorted(KINDS))}"
    return f"{where}: {mistake['msg'][:1].lower()}{mistake['msg'][1:]}"
