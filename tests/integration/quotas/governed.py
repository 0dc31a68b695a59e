"""The application with quotas and no regions: what Keystone and regions have, rows as rounds leave them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from multisite.engine.writes import RegionWrite
from multisite.quotas import claims, eventlog, share_store
from multisite.quotas.bound import Figures
from multisite.quotas.events import Event
from multisite.quotas.home import Home
from multisite.quotas.model import DryRun, MissingService, Project, Share, Wanted
from multisite.quotas.service import QuotaService
from multisite.quotas.store import QuotaStore
from multisite.regions.model import Region
from multisite.regions.states import CallError
from tests.integration.service import ALPHA, BETA, Answer, Service

CORES, RAM, KEYS = "compute/cores", "compute/ram", "compute/key_pairs"
#: Holds the domain's third project, which is below alpha.
GAMMA = "d" * 32
DETAIL = "GET http://10.9.8.7/compute: refused by internal-host"


def projects() -> dict[str, Project]:
    """Three projects of one domain; gamma is below alpha."""
    return {
        ALPHA: Project(ALPHA, "alpha", "d1", "Default"),
        BETA: Project(BETA, "beta-name", "d1", "Default"),
        GAMMA: Project(GAMMA, "gamma", "d1", "Default", (ALPHA,)),
    }


@dataclass
class Keystone:
    """In place of the regions: knows projects, and what each region has; remembers what was asked."""

    known: dict[str, Project] = field(default_factory=projects)
    shares: list[Share] = field(default_factory=list)
    previewed: list[Wanted] = field(default_factory=list)
    missing: list[MissingService] = field(default_factory=list)
    registered: set[str] = field(default_factory=set)

    async def identify(self, project_id: str, regions: Sequence[Region]) -> Project | None:
        """The project, as it is known here."""
        del regions
        return self.known.get(project_id)

    async def has_domain(self, domain_id: str, regions: Sequence[Region]) -> bool:
        """Whether one of the projects is in it."""
        del regions
        return any(project.domain_id == domain_id for project in self.known.values())

    async def preview(self, wanted: Wanted, shares: Sequence[Share]) -> DryRun:
        """One write, of the cores that were decided, or of those that there were before."""
        del shares
        self.previewed.append(wanted)
        after = {"cores": wanted.limits[CORES].limit if CORES in wanted.limits else 20}
        body = {"quota_set": after}
        path = ("os-quota-sets", wanted.project.id)
        write = RegionWrite("north", "compute", "PUT", path, "limits", {"cores": 20}, after, body)
        return DryRun([write], self.missing)

    async def read(self, wanted: Wanted) -> Sequence[Share]:
        """What was put here."""
        del wanted
        return self.shares

    async def unregistered(self, resources: Collection[str]) -> Sequence[str]:
        """All but what was put here."""
        return sorted(set(resources) - self.registered)


@dataclass
class Governed:
    """The application, with short words for what tests do to quotas."""

    service: Service
    keystone: Keystone
    quotas: QuotaService

    @property
    def store(self) -> QuotaStore:
        """The rows."""
        return self.quotas.store

    async def call(self, method: str, path: str, token: str = "operator", body: Any = None) -> Answer:  # noqa: S107
        """One request."""
        return await self.service.call(method, path, token, body)

    async def change(self, body: Mapping[str, Any], project: str = ALPHA) -> Answer:
        """Change a quota as an operator."""
        return await self.call("PATCH", f"/v1/quotas/{project}", body=dict(body))

    async def limit(self, number: Any, project: str = ALPHA, resource: str = CORES) -> None:
        """Set one limit, which works."""
        answer = await self.change({"limits": {resource: number}}, project)
        assert answer.status == 202, answer.text

    async def refused(self, status: int, body: Mapping[str, Any], project: str = ALPHA) -> str:
        """The sentence of a change that is refused, and that no dry run would have taken either."""
        answer = await self.change(body, project)
        assert answer.status == status, answer.text
        planned = await self.call("POST", f"/v1/quotas/{project}/plan", body=dict(body))
        assert planned.status == status, planned.text
        assert planned.error["detail"] == answer.error["detail"]
        return str(answer.error["detail"])

    async def quota(self, project: str = ALPHA) -> Any:
        """What an operator sees, by resource."""
        answer = await self.call("GET", f"/v1/quotas/{project}")
        assert answer.status == 200, answer.text
        return {each["resource"]: each for each in answer.json["resources"]}

    async def limits(self, project: str = ALPHA) -> dict[str, int]:
        """The global limits in force."""
        return {name: each["limit"] for name, each in (await self.quota(project)).items()}

    async def known_of(
        self, project: str, region: Region, figures: Mapping[str, Figures], **more: Any
    ) -> None:
        """Put what a round read of a region into its row."""
        assert region.id is not None
        share = Share(region.id, region.name, "compute", dict(figures), **more)
        async with self.store.database.write() as connection:
            await share_store.save(connection, project, [share])

    async def tell(self, project: str, at: datetime, *events: Event) -> None:
        """Put events into the log."""
        async with self.store.database.write() as connection:
            await eventlog.tell(connection, project, events, at)

    async def due(self, at: datetime) -> list[str]:
        """The projects that the balancer would take then."""
        async with self.store.database.read() as connection:
            return list(await claims.due(connection, at, 10))

    async def audited(self) -> list[str]:
        """What the audit has of quotas, in order."""
        from multisite.db.tables import audit_records

        async with self.store.database.read() as connection:
            rows = await connection.execute(audit_records.select().order_by(audit_records.c.id))
            return [row.action for row in rows]


def govern(service: Service) -> Governed:
    """Put a Keystone of our own in place of the regions."""
    keystone = Keystone()
    home = Home(service.assembly.regions, keystone)
    quotas = replace(service.assembly.quotas, home=home, reading=keystone)
    service.app.state.quotas = quotas
    service.app.state.quota_rules = replace(service.assembly.quota_rules, home=home, reading=keystone)
    return Governed(service, keystone, quotas)


def away(code: str = "connection-refused") -> CallError:
    """A failure whose detail names addresses."""
    return CallError(code, DETAIL)
