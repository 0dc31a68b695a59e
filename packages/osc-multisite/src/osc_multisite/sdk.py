"""multisite for openstacksdk: the one place where the paths of the API are written.

    connection = openstack.connect(cloud="mycloud")
    osc_multisite.sdk.register(connection)
    for region in connection.multisite.regions():
        print(region["name"], region["state"])

Answers are plain dicts, as docs/reference/api.md describes them, listings are generators that follow the
pages, and the `openstack multisite` commands call these same methods. A page's `next` link is followed by
its query only, at the endpoint in use: a service behind a proxy may not know its own address, and a token
is never sent to a host that an answer names.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, quote, urlsplit

from keystoneauth1.exceptions import ConnectionError as KeystoneauthConnectionError
from openstack import proxy, service_description

from osc_multisite import errors
from osc_multisite.endpoint import SERVICE_TYPE, find_endpoint

#: A JSON object of the API.
Json = dict[str, Any]
Query = list[tuple[str, str]]

API_VERSION = "1.0"
#: Seconds to connect, and to wait for an answer (discovery of many regions takes a while), where the
#: cloud's configuration sets no `api_timeout`.
TIMEOUT = (10.0, 300.0)


#: Rows of one page, as the service bounds them.
MOST_ROWS = 1000


class Inventory(NamedTuple):
    """Items of one kind, and the services of regions whose items are not among them, or are old.

    Of many such regions `missing` names the first only; `missing_regions` is how many there are (an older
    service names all, and does not say).
    """

    items: list[Json]
    missing: list[Json]
    missing_regions: int | None


class MultisiteProxy(proxy.Proxy):
    """The API of multisite, version 1."""

    api_version = "1"
    skip_discovery = True

    def regions(self, regions: Iterable[str] = (), labels: Mapping[str, str] | None = None) -> Iterator[Json]:
        """REGION of every region, or of those named, or of those that have all the labels."""
        query = _query(region=regions, label=[f"{key}={value}" for key, value in (labels or {}).items()])
        return self._items("/v1/regions", "regions", query)

    def region(self, name: str) -> Json:
        """One REGION."""
        return self._read(f"/v1/regions/{_segment(name)}")

    def create_region(self, name: str, credential: str, **fields: Any) -> Json:
        """Register a region and return its REGION."""
        return self._write("POST", "/v1/regions", {"name": name, "credential": credential, **fields})

    def discover_regions(self, credential: str, **fields: Any) -> Json:
        """Register the regions of a credential's catalog: `created`, `existing`, `skipped`, `dry_run`."""
        return self._write("POST", "/v1/regions/discover", {"credential": credential, **fields})

    def update_region(self, name: str, generation: int, **fields: Any) -> Json:
        """Change a region that still has this generation, and return its REGION."""
        return self._write("PATCH", f"/v1/regions/{_segment(name)}", {**fields, "generation": generation})

    def delete_region(self, name: str) -> None:
        """Forget a region; nothing changes in it."""
        self._call("DELETE", f"/v1/regions/{_segment(name)}")

    def test_region(self, name: str) -> Json:
        """Try a region's credential: `ok`, `summary`, `checks`."""
        return self._write("POST", f"/v1/regions/{_segment(name)}/test")

    def test_regions(self, names: Iterable[str] = ()) -> Json:
        """Begin to try the credentials of these regions, by default of all: an OPERATION."""
        return self._write("POST", "/v1/regions/test", {"regions": list(names)})

    def discover_all_regions(self, credentials: Iterable[str], **fields: Any) -> Json:
        """Begin to register the regions of the catalogs that many credentials see: an OPERATION."""
        return self._write("POST", "/v1/regions/discover/all", {"credentials": list(credentials), **fields})

    def operations(self, *, limit: int | None = None, **filters: Any) -> Iterator[Json]:
        """OPERATION after OPERATION, the newest first, at most `limit` of them.

        `filters` are the parameters of `GET /v1/operations`: `kind`, `state`, `region`, `user`.
        """
        return self._at_most(limit, "/v1/operations", "operations", _parameters(filters))

    def operation(self, operation_id: str) -> Json:
        """One OPERATION in `operation`, with how far it is in each region in `regions`."""
        return self._read(_operation(operation_id))

    def cancel_operation(self, operation_id: str) -> Json:
        """Cancel an operation: what waits ends, what is at work is undone, what has ended stays.

        The OPERATION is returned.
        """
        return self._write("POST", f"{_operation(operation_id)}/cancel")

    def retry_operation(self, operation_id: str) -> Json:
        """Do again what failed or was cancelled, or go on undoing; its OPERATION."""
        return self._write("POST", f"{_operation(operation_id)}/retry")

    def operation_writes(self, operation_id: str, *, limit: int | None = None) -> Iterator[Json]:
        """WRITE after WRITE: what an operation wrote to regions, in order."""
        return self._at_most(limit, f"{_operation(operation_id)}/writes", "writes", [])

    def region_health(self, name: str) -> list[Json]:
        """HEALTH of each service of one region."""
        return cast("list[Json]", self._read(f"/v1/regions/{_segment(name)}/health")["services"])

    def health(self, regions: Iterable[str] = (), services: Iterable[str] = ()) -> Iterator[Json]:
        """HEALTH of each service of each region."""
        return self._items("/v1/health", "services", _query(region=regions, service=services))

    def capacity(self, regions: Iterable[str] = (), *, fresh: bool = False) -> Json:
        """CAPACITY of each region in `regions`, and TOTALS in `totals`; `fresh` reads the regions now."""
        pages = list(self._pages("/v1/capacity", "regions", _query(region=regions, fresh=fresh)))
        return {
            "regions": [region for page in pages for region in page["regions"]],
            "totals": pages[0]["totals"],
        }

    def region_capacity(self, name: str, *, fresh: bool = False) -> Json:
        """CAPACITY of one region with its providers, hosts, pools, networks, stores and flavors."""
        return self._read(f"/v1/capacity/{_segment(name)}", _query(fresh=fresh))

    def capacity_history(self, **filters: Any) -> Iterator[Json]:
        """How capacity was: POINT after POINT, of the regions named, or of all together where none is.

        `filters` are the parameters of `GET /v1/capacity/history`: `region` and `resource` (names), `since`,
        `until` (ISO 8601, with a time zone) and `resolution` (`raw` or `hour`).
        """
        return self._items("/v1/capacity/history", "points", _parameters(filters))

    def usage(
        self, project_id: str | None = None, regions: Iterable[str] = (), *, fresh: bool = False
    ) -> Json:
        """PROJECT: the use of a project, by default the token's own, in each region."""
        return self._read(
            f"/v1/usage/{_segment(self.project_or_own(project_id))}", _query(region=regions, fresh=fresh)
        )

    def quotas(self, sort: str | None = None) -> Iterator[Json]:
        """How the global limits of each project stand, those under most pressure (on `sort`) first."""
        return self._items("/v1/quotas", "quotas", _parameters({"sort": sort}))

    def quota(self, project_id: str | None = None) -> Json:
        """QUOTA: the global limits of a project, by default the token's own, and each region's part."""
        return self._read(_quota(self.project_or_own(project_id)))

    def set_quota(self, project_id: str, **fields: Any) -> Json:
        """Change a project's limits, as `PATCH /v1/quotas/{project_id}` takes it: an OPERATION."""
        return self._write("PATCH", _quota(project_id), fields)

    def plan_quota(self, project_id: str, **fields: Any) -> Json:
        """The exact `writes` that the same change would make now, and what was `missing`."""
        return self._write("POST", f"{_quota(project_id)}/plan", fields)

    def unset_quota(self, project_id: str) -> Json:
        """Keep the limits of a project no more; regions get back what they had: an OPERATION."""
        return self._write("DELETE", _quota(project_id))

    def balance_quota(self, project_id: str, regions: Iterable[str] = ()) -> Json:
        """Balance a project now, with more for these regions: an OPERATION."""
        return self._write("POST", f"{_quota(project_id)}/balance", {"regions": list(regions)})

    def import_quota(
        self, project_id: str | None = None, resources: Iterable[str] = (), kind: str | None = None
    ) -> Json:
        """Global limits that today's limits of the regions add up to, in `proposals`; nothing is changed."""
        body = {"project_id": self.project_or_own(project_id), "resources": list(resources), "kind": kind}
        return self._write("POST", "/v1/quotas/import", body)

    def quota_classes(self) -> Json:
        """All classes of limits: name → resource → `limit`, `kind`, `burst`."""
        return cast("Json", self._read("/v1/quota-classes")["classes"])

    def set_quota_class(self, name: str, limits: Json) -> Json:
        """Change limits of a class, `None` takes one out; all that it has now."""
        answer = self._write("PATCH", f"/v1/quota-classes/{_segment(name)}", {"limits": limits})
        return cast("Json", answer["classes"][name])

    def plan_quota_class(self, name: str, limits: Json) -> Json:
        """The exact writes that this change of a class would make now: `plans` by project, `left_out`."""
        return self._write("POST", f"/v1/quota-classes/{_segment(name)}/plan", {"limits": limits})

    def delete_quota_class(self, name: str) -> None:
        """Forget a class that no project follows by its name."""
        self._call("DELETE", f"/v1/quota-classes/{_segment(name)}")

    def quota_caps(self) -> list[Json]:
        """What domains and trees may have: `scope`, `scope_id`, `resource`, `limit`."""
        return cast("list[Json]", self._read("/v1/quota-caps")["caps"])

    def set_quota_cap(self, scope: str, scope_id: str, resource: str, limit: int) -> list[Json]:
        """Set what a `domain` or `tree` may have, -1 for no cap; all caps."""
        body = {"scope": scope, "scope_id": scope_id, "resource": resource, "limit": limit}
        return cast("list[Json]", self._write("PUT", "/v1/quota-caps", body)["caps"])

    def quota_backends(self) -> list[Json]:
        """Where operators say that regions keep limits: `region`, `service`, `backend`."""
        return cast("list[Json]", self._read("/v1/quota-backends")["backends"])

    def set_quota_backend(self, region: str, service: str, backend: str | None) -> list[Json]:
        """Say where a service of a region keeps its limits, `None` to have it found out; all that is said."""
        path = f"/v1/quota-backends/{_segment(region)}/{_segment(service)}"
        return cast("list[Json]", self._write("PUT", path, {"backend": backend})["backends"])

    def quota_events(
        self, kinds: Iterable[str] = (), project_id: str | None = None, *, limit: int | None = None
    ) -> Iterator[Json]:
        """EVENT after EVENT, the newest first, at most `limit` of them; of one project where it is named."""
        query = _query(kind=kinds) + _parameters({"project_id": project_id})
        return self._at_most(limit, "/v1/quota-events", "events", query)

    def project_or_own(self, project_id: str | None) -> str:
        """The id, or that of the token's own project where there is none.

        Raises:
            MultisiteError: the token belongs to no project.
        """
        found = project_id or self.get_project_id()
        if not found:
            raise errors.MultisiteError("Your token belongs to no project: name the project.")
        return str(found)

    def usages(self, sort: str | None = None, regions: Iterable[str] = ()) -> Iterator[Json]:
        """The use of every followed project; `sort` is a resource, the greatest use comes first."""
        query = _query(sort=[sort] if sort else [], region=regions)
        return self._items("/v1/usage", "projects", query)

    def quota_history(self, project_id: str | None = None, **filters: Any) -> Json:
        """How a project's quota, by default the token's own, was used, and when it runs out.

        QUOTAPOINT after QUOTAPOINT in `points`, by resource a FORECAST in `forecast`.
        `filters` are the parameters of `GET /v1/quotas/{project_id}/history`: `resource` (names), `since`,
        `until` (ISO 8601, with a time zone) and `resolution` (`raw` or `hour`).
        """
        path = f"{_quota(self.project_or_own(project_id))}/history"
        pages = list(self._pages(path, "points", _parameters(filters)))
        return {**pages[0], "points": [point for page in pages for point in page["points"]], "links": []}

    def quota_requests(self, **filters: Any) -> Iterator[Json]:
        """QUOTAREQUEST after QUOTAREQUEST, the newest first.

        `filters` are the parameters of `GET /v1/quota-requests`: `state` (several), `project_id`.
        """
        return self._items("/v1/quota-requests", "requests", _parameters(filters))

    def quota_request(self, request_id: str) -> Json:
        """One QUOTAREQUEST."""
        return self._read(_quota_request(request_id))

    def create_quota_request(self, limits: Mapping[str, int], reason: str) -> Json:
        """Ask for global limits for the project of the token, by resource: the QUOTAREQUEST."""
        return self._write("POST", "/v1/quota-requests", {"limits": dict(limits), "reason": reason})

    def cancel_quota_request(self, request_id: str) -> Json:
        """Take a request back, and return its QUOTAREQUEST."""
        return self._write("POST", f"{_quota_request(request_id)}/cancel")

    def approve_quota_request(
        self, request_id: str, limits: Mapping[str, int] | None = None, answer: str | None = None
    ) -> Json:
        """Grant a request, or only these `limits` of it; the OPERATION that writes them."""
        body: Json = {"limits": dict(limits)} if limits else {}
        if answer is not None:
            body["answer"] = answer
        return self._write("POST", f"{_quota_request(request_id)}/approve", body)

    def refuse_quota_request(self, request_id: str, reason: str) -> Json:
        """Refuse a request, and return its QUOTAREQUEST."""
        return self._write("POST", f"{_quota_request(request_id)}/refuse", {"reason": reason})

    def inventory(self, kind: str, *, limit: int | None = None, **filters: Any) -> Inventory:
        """The items of a kind (`servers`, `floating-ips`, …) in all regions, at most `limit` of them.

        `filters` are the parameters of `GET /v1/inventory/{kind}`: `region` (names), `project_id`, `status`,
        `name`, `address`, `visible`, `sort`, `direction`, `fresh`.
        """
        query = _parameters(filters)
        if limit is not None:
            query.append(("limit", str(min(limit, MOST_ROWS))))
        items: list[Json] = []
        page: Json = {}
        for page in self._pages(f"/v1/inventory/{_segment(kind)}", "items", query):
            items += page["items"]
            if limit is not None and len(items) >= limit:
                break
        return Inventory(items[:limit], page["missing"], page.get("missing_regions"))

    def inventory_item(self, kind: str, region: str, item_id: str, *, fresh: bool = False) -> Json:
        """One item; `fresh` reads the region now."""
        return self._read(_item(kind, region, item_id), _query(fresh=fresh))

    def offers(self, region: str) -> Json:
        """What a region offers for new servers and volumes: `images`, `flavors`, `networks` and so on."""
        return self._read(f"/v1/inventory/offers/{_segment(region)}")

    def create_item(self, kind: str, region: str, fields: Json, *, key: str | None = None) -> Json:
        """Make a server, volume or floating IP in a region: `id`, `item` and so on.

        The same request with the same `key` is done once, however often it is sent.
        """
        body = {**fields, "region": region}
        return self._write("POST", f"/v1/inventory/{_segment(kind)}", body, key=key)

    def act(self, kind: str, region: str, item_id: str, action: str, fields: Json | None = None) -> Json:
        """Do something to an item, such as `stop`: `region_request_id`, `item` and so on."""
        return self._write("POST", f"{_item(kind, region, item_id)}/{_segment(action)}", fields)

    def delete_item(self, kind: str, region: str, item_id: str) -> Json:
        """End a server or volume, or give a floating IP back."""
        return self._write("DELETE", _item(kind, region, item_id))

    def where(self, text: str, *, limit: int | None = None) -> Json:
        """What an id, name or address, or a part of one, may mean: `found`, `more`, `complete`, `missing`."""
        return self._read("/v1/inventory/search", _parameters({"q": text, "limit": limit}))

    def keypairs(self, user_id: str | None = None, regions: Iterable[str] = ()) -> Json:
        """A user's keypairs, by default one's own, read now: `keypairs`, `complete`, `missing`."""
        return self._read("/v1/inventory/keypairs", _parameters({"user_id": user_id, "region": regions}))

    def _at_most(self, limit: int | None, path: str, key: str, query: Query) -> Iterator[Json]:
        if limit is not None:
            query = [*query, ("limit", str(min(limit, MOST_ROWS)))]
        return islice(self._items(path, key, query), limit)

    def _items(self, path: str, key: str, query: Query) -> Iterator[Json]:
        for page in self._pages(path, key, query):
            yield from page[key]

    def _pages(self, path: str, key: str, query: Query) -> Iterator[Json]:
        following: Query | None = query
        while following is not None:
            page = self._read(path, following)
            if key not in page:
                raise errors.NotMultisite(path, 200)
            yield page
            asked, following = following, _next_query(page)
            if following == asked:
                raise errors.MultisiteError(f"The service answers {path} with the same page again and again.")

    def _read(self, path: str, query: Query | None = None) -> Json:
        return cast("Json", self._call("GET", path, query=query))

    def _write(self, method: str, path: str, body: Json | None = None, *, key: str | None = None) -> Json:
        return cast("Json", self._call(method, path, body=body, key=key))

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Json | None = None,
        key: str | None = None,
    ) -> Json | None:
        headers = {"OpenStack-API-Version": f"{SERVICE_TYPE} {API_VERSION}", "Accept": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        timeout = self.session.timeout or TIMEOUT
        try:
            answer = self.request(
                path, method, params=query or [], json=body, headers=headers, timeout=timeout
            )
        except KeystoneauthConnectionError as error:
            if self.endpoint_override and self.endpoint_override in str(error):
                raise errors.ServiceAway(self.endpoint_override, error) from error
            raise  # Keystone's, whose sentence names its own address
        if answer.status_code >= 400:  # noqa: PLR2004 - where HTTP's errors begin
            raise errors.from_response(answer)
        if not answer.content:
            return None
        try:
            document = answer.json()
        except ValueError as error:
            raise errors.NotMultisite(answer.url, answer.status_code) from error
        if not isinstance(document, dict):
            raise errors.NotMultisite(answer.url, answer.status_code)
        return document


class MultisiteService(service_description.ServiceDescription[MultisiteProxy]):
    """How openstacksdk finds multisite."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        """The connection's proxy; the endpoint is looked for once, when the proxy is first used."""
        if instance is not None:
            url = find_endpoint(instance.config)
            instance.config.set_service_value("endpoint_override", SERVICE_TYPE, url)
        return super().__get__(instance, owner)


def register(connection: Any) -> None:
    """Give a connection its `multisite` attribute.

    It may be named as `vendor_hook: osc_multisite.sdk:register` in a cloud's entry of clouds.yaml.
    """
    connection.add_service(MultisiteService(SERVICE_TYPE, {MultisiteProxy.api_version: MultisiteProxy}))


def _item(kind: str, region: str, item_id: str) -> str:
    return f"/v1/inventory/{_segment(kind)}/{_segment(region)}/{_segment(item_id)}"


def _quota(project_id: str) -> str:
    return f"/v1/quotas/{_segment(project_id)}"


def _operation(operation_id: str) -> str:
    return f"/v1/operations/{_segment(operation_id)}"


def _quota_request(request_id: str) -> str:
    return f"/v1/quota-requests/{_segment(request_id)}"


def _segment(name: str) -> str:
    return quote(name, safe="")


def _query(*, fresh: bool = False, **filters: Iterable[str]) -> Query:
    query = [(key, value) for key, values in filters.items() for value in values]
    return [*query, ("fresh", "true")] if fresh else query


def _parameters(filters: Mapping[str, Any]) -> Query:
    """The parameters that are set; `True` is `true`, several values are several parameters."""
    query: Query = []
    for key, value in filters.items():
        if value is None or value is False:
            continue
        if value is True:
            query.append((key, "true"))
        elif isinstance(value, str | int):
            query.append((key, str(value)))
        else:
            query += [(key, str(each)) for each in value]
    return query


def _next_query(page: Json) -> Query | None:
    for link in page.get("links") or []:
        if link.get("rel") == "next":
            return parse_qsl(urlsplit(link["href"]).query)
    return None
