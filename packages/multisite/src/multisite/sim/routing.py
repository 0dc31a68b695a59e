"""Which handler answers which path."""

from collections.abc import Callable
from typing import Any

from multisite.sim.http import Handler, Refusal

Node = dict[str, Any]


class Lost(Refusal):
    """No such route (404), or not with this method (405): said in front of the service's own code."""


class Routes:
    """Handlers by method and path; `{…}` in a path stands for one segment."""

    def __init__(self) -> None:
        self._root: Node = {}
        self.templates: list[tuple[str, str]] = []

    def on(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Register a handler for a method and path."""

        def add(handler: Handler) -> Handler:
            self.add(method, path, handler)
            return handler

        return add

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Register a handler for a method and path."""
        node = self._root
        for part in path.strip("/").split("/"):
            node = node.setdefault("{}" if part.startswith("{") else part, {})
        node.setdefault("", {})[method] = (handler, f"{method} {path}")
        self.templates.append((method, path))

    def find(self, method: str, path: str) -> tuple[Handler, str, tuple[str, ...]]:
        """The handler of a path, the route's name, and what its placeholders stand for.

        Raises `Lost` with 404 or 405.
        """
        ids: list[str] = []
        node = self._root
        for part in path.strip("/").split("/"):
            if part in node and part not in {"", "{}"}:
                node = node[part]
            elif part == "" and "" in node and path.strip("/") == "":
                node = node[""]
            elif "{}" in node and part:
                node = node["{}"]
                ids.append(part)
            else:
                raise Lost(404, "The resource could not be found.")
        methods = node.get("")
        if not methods:
            raise Lost(404, "The resource could not be found.")
        if method not in methods:
            allowed = {"Allow": ", ".join(sorted(methods))}
            raise Lost(405, f"The method {method} is not allowed for this resource.", headers=allowed)
        handler, name = methods[method]
        return handler, name, tuple(ids)
