"""Neutron's listings: any attribute filters, `fields` chooses, pages are linked both ways."""

from multisite.sim.http import Call, Json, Refusal, parse_stamp

_CONTROL = {"limit", "marker", "sort_key", "sort_dir", "fields", "page_reverse", "changed_since"}
_TRUE = {"true", "1", "yes", "on", "t"}


def listing(call: Call, key: str, items: list[Json]) -> Json:
    """One page of what the query's filters let through. Raises `Refusal` (400, 404)."""
    found = [item for item in items if _fits(call, item)]
    since = call.one("changed_since")
    if since:
        found = [item for item in found if parse_stamp(item["updated_at"]) >= int(parse_stamp(since))]
    keys = [*call.query.get("sort_key", []), "id"]
    for sort_key in reversed(keys):
        backwards = call.one("sort_dir") == "desc"
        found.sort(key=lambda item, by=sort_key: str(item.get(by) or ""), reverse=backwards)  # type: ignore[misc]
    shown, links = _page(call, key, found)
    fields = call.query.get("fields")
    if fields:
        shown = [{name: item[name] for name in fields if name in item} for item in shown]
    return {key: shown} | links


def _fits(call: Call, item: Json) -> bool:
    for name, values in call.query.items():
        if name in _CONTROL:
            continue
        if name == "fixed_ips" and not _fits_addresses(values, item.get("fixed_ips") or []):
            return False
        if name in item and name != "fixed_ips" and not any(_equal(item[name], value) for value in values):
            return False
    return True


def _fits_addresses(values: list[str], held: list[Json]) -> bool:
    wanted = dict(value.partition("=")[::2] for value in values)
    return any(all(pair.get(key) == value for key, value in wanted.items()) for pair in held)


def _equal(held: object, asked: str) -> bool:
    if isinstance(held, bool):
        return held == (asked.lower() in _TRUE)
    return asked == ("" if held is None else str(held))


def _page(call: Call, key: str, found: list[Json]) -> tuple[list[Json], Json]:
    limit = call.whole("limit", 0)
    marker = call.one("marker")
    start = 0
    if marker:
        start = next((number for number, item in enumerate(found, 1) if item["id"] == marker), -1)
        if start < 0:
            raise Refusal(404, f"The resource could not be found: marker {marker}.", kind="HTTPNotFound")
    shown = found[start : start + limit] if limit else found[start:]
    if not limit or not shown:
        return shown, {}
    rest = {name: values for name, values in call.query.items() if name not in {"marker", "page_reverse"}}
    links = []
    if start + limit < len(found):
        query = rest | {"marker": [shown[-1]["id"]]}
        links.append({"rel": "next", "href": call.url(call.path, query)})
    if start:
        query = rest | {"marker": [shown[0]["id"]], "page_reverse": ["True"]}
        links.append({"rel": "previous", "href": call.url(call.path, query)})
    return shown, ({f"{key}_links": links} if links else {})
