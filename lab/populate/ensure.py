"""Find a thing by its name or make it, and wait until it has settled."""

import time
from typing import Any

from lab.errors import LabError
from lab.rest import Rest

Item = dict[str, Any]
SETTLE_SECONDS = 180.0
POLL_SECONDS = 0.5


def ensure(client: Rest, service: str, path: str, kind: str, body: Item) -> Item:
    """The thing of this kind with the name in `body`; it is made if there is none.

    Glance alone does not wrap what it takes and gives in the name of its kind.
    """
    for item in client.get(service, path)[f"{kind}s"]:
        found = item.get(kind, item)  # keypairs are wrapped one by one
        if found["name"] == body["name"]:
            return dict(found)
    collection = path.partition("?")[0].removesuffix("/detail")
    if service == "glance":
        return client.post(service, collection, body)
    return dict(client.post(service, collection, {kind: body})[kind])


def settle(client: Rest, service: str, path: str, kind: str, wanted: str) -> None:
    """Wait until a thing has the status `wanted`; an error status ends the wait."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        item = client.get(service, path)[kind]
        status = str(item["status"]).lower()
        if status == wanted:
            return
        if status.startswith("error") or time.monotonic() > deadline:
            reason = item.get("fault", {}).get("message", f"look into the logs of {service}")
            raise LabError(f"the {kind} {item['name']} is {status} and not {wanted}: {reason}")
        time.sleep(POLL_SECONDS)
