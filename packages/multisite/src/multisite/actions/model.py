"""Actions as values: what can be done to which kind, and what came of it."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from multisite.actions.bodies import ActionBody
from multisite.inventory.model import InventoryRow
from multisite.openstack.users import Reply, UserClient, UserToken
from multisite.regions.model import Region
from multisite.requester import Requester

#: The name of an item's metadata that says which request made it.
MARK = "multisite-key"


Perform = Callable[[UserClient, "Deed"], Awaitable[Reply]]
Line = Callable[["Deed"], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Action:
    """One action on one kind (in the plural, as in the paths of the inventory).

    `what` completes "the region refused to …"; `line` are the words of `openstack` for the same; `made` finds
    the new item in the answer of an action that creates one. `find` (for what carries a mark) lists the
    user's items of a name.
    """

    kind: str
    name: str
    what: str
    perform: Perform
    line: Line
    body: type[ActionBody] | None = None
    made: str | None = None
    find: Callable[[UserClient, str], Awaitable[list[dict[str, Any]]]] | None = None

    @property
    def creates(self) -> bool:
        """Whether it makes a new item."""
        return self.made is not None

    @property
    def full_name(self) -> str:
        """What the audit and the answer call it, such as `server:stop`."""
        return f"{self.noun}:{self.name}"

    @property
    def noun(self) -> str:
        """The kind in the singular."""
        return self.kind.removesuffix("s").replace("-", "_")

    @property
    def rule(self) -> str:
        """The policy rule that guards it."""
        return f"multisite:{self.noun}:{self.name.replace('-', '_')}"

    @property
    def method(self) -> str:
        """The HTTP method."""
        return "DELETE" if self.name == "delete" else "POST"

    @property
    def path(self) -> str:
        """The path in the API."""
        if self.creates:
            return f"/v1/inventory/{self.kind}"
        item = f"/v1/inventory/{self.kind}/{{region}}/{{id}}"
        return item if self.name == "delete" else f"{item}/{self.name}"


@dataclass(frozen=True, slots=True)
class Deed:
    """One action of one user in one region.

    `item_id` is empty for what is yet to be; `mark` is what that will carry: a key, a space, and the digest
    of what was asked.
    """

    requester: Requester
    token: UserToken
    region: Region
    action: Action
    item_id: str
    body: Any
    mark: str = ""

    @property
    def name(self) -> str:
        """The name of what is yet to be."""
        return str(getattr(self.body, "name", ""))

    @property
    def target(self) -> str:
        """What the audit says it is about."""
        return f"{self.region.name}/{self.action.kind}/{self.item_id or self.name}"

    @property
    def asked(self) -> Mapping[str, Any]:
        """What was asked as plain JSON, without what was not given."""
        return self.body.model_dump(mode="json", exclude_defaults=True) if self.body is not None else {}

    def marked(self, key: str) -> "Deed":
        """The same, leaving a mark with this key."""
        return replace(self, mark=f"{key} {digest(self.asked)}")


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of an action that the region took on; most go on there for a while.

    `region_request_id` is what the region's logs have. `repeated`: an earlier request with the same key had
    done it. `item` is as the region told it afterwards, `null` where it is gone or was not read.
    """

    action: str
    region: str
    id: str
    request_id: str
    region_request_id: str | None
    repeated: bool
    item: InventoryRow | None


def digest(value: object) -> str:
    """A short text that is equal for equal JSON."""
    document = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(document.encode(), digest_size=16).hexdigest()
