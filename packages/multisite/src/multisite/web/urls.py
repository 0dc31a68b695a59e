"""The page's addresses: one place that knows the root path under which we are mounted.

`Urls` is made per request from the ASGI `root_path`; templates use nothing else to link. Assets carry
the digest of their content, so that browsers may keep them for ever.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, urlencode

from starlette.requests import Request

STATIC = Path(__file__).parent / "static"


@lru_cache(maxsize=256)
def asset_digest(name: str) -> str:
    """Twelve hexadecimal digits that change when the asset's content does."""
    path = STATIC / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "missing"


@dataclass(frozen=True, slots=True)
class Urls:
    """Links below a root path (empty, or `/prefix` without a slash at its end)."""

    root_path: str = ""

    @classmethod
    def of(cls, request: Request) -> "Urls":
        """Those of the request's root path."""
        return cls(str(request.scope.get("root_path", "")).rstrip("/"))

    def page(self, name: str, query: Mapping[str, str] | None = None) -> str:
        """`wall` → `/wall`, with the query's fields that are not empty."""
        fields = {key: value for key, value in (query or {}).items() if value}
        return f"{self.root_path}/{name}{'?' + urlencode(fields) if fields else ''}"

    def region(self, name: str) -> str:
        """A region's page."""
        return f"{self.root_path}/wall/regions/{quote(name, safe='')}"

    def item(self, plural: str, region: str, identity: str) -> str:
        """The page of one item of the inventory."""
        return f"{self.root_path}/inventory/{plural}/{quote(region, safe='')}/{quote(identity, safe='')}"

    def operation(self, identity: str) -> str:
        """The page of one operation."""
        return f"{self.root_path}/operations/{quote(identity, safe='')}"

    def quota(self, project_id: str, form: str = "", query: Mapping[str, str] | None = None) -> str:
        """The page of a project's quota, or one of its forms."""
        return self.page(f"quotas/{quote(project_id, safe='')}{'/' + form if form else ''}", query)

    def quota_request(self, identity: str, act: str = "") -> str:
        """The page of a request for more quota, or what is done to it."""
        return self.page(f"quotas/requests/{quote(identity, safe='')}{'/' + act if act else ''}")

    def own(self, request: Request) -> str:
        """The request's own address, whether or not a proxy took the root path from it."""
        path = str(request.scope["path"])
        if not path.startswith(f"{self.root_path}/"):
            path = self.root_path + path
        return quote(path) + (f"?{request.url.query}" if request.url.query else "")

    def asset(self, name: str) -> str:
        """A file of `static/`."""
        return f"{self.root_path}/static/{name}?v={asset_digest(name)}"

    @property
    def cookie_path(self) -> str:
        """The path to which our cookies belong."""
        return self.root_path or "/"
