"""What happens around every request: an id, the API's version, a size limit, a line in the log."""

import asyncio
import logging
import re
import time
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from multisite.api.versions import HEADER, negotiate
from multisite.errors import BadRequest, MultisiteError, TooLarge
from multisite.request_ids import new_request_id

LOG = logging.getLogger("multisite.access")

REQUEST_ID = "X-OpenStack-Request-Id"
LARGEST_BODY = 1024 * 1024
#: Bytes and seconds of a refused body that are still taken off the line.
MOST_READ = 64 * 1024 * 1024
LONGEST_READ = 10.0
_REQUEST_ID = re.compile(r"req-[0-9a-fA-F-]{36}")


class Envelope:
    """ASGI middleware: wraps the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = new_request_id()
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer = MutableHeaders(scope=message)
                answer[REQUEST_ID] = request_id
                if _route(scope).startswith("/v1") and "version" in state:
                    answer[HEADER] = f"multisite {state['version']}"
                    answer.add_vary_header(HEADER)
            await send(message)

        try:
            state["version"] = negotiate(headers.get(HEADER))
            _check_size(headers)
        except MultisiteError as error:
            await _read_away(receive)
            await _refusal(error, request_id)(scope, receive, tell)
        else:
            await self._app(scope, receive, tell)
        finally:
            _log(scope, headers, request_id, status or 500, time.perf_counter() - started)


def _route(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(str(scope.get("root_path", "")))


def _check_size(headers: Headers) -> None:
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > LARGEST_BODY:
        raise TooLarge(f"the body is larger than {LARGEST_BODY} bytes")
    if "chunked" in headers.get("transfer-encoding", "").lower():
        raise BadRequest("send the body with a Content-Length; chunked bodies are not taken")


async def _read_away(receive: Receive) -> None:
    """Take what is sent and drop it, within bounds: most clients read no answer before they have sent all."""
    seen = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_READ):
            while seen < MOST_READ:
                message = await receive()
                seen += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return


def _refusal(error: MultisiteError, request_id: str) -> JSONResponse:
    body = {
        "status": error.status,
        "code": error.code,
        "title": error.title,
        "detail": error.detail,
        "request_id": request_id,
    }
    return JSONResponse({"errors": [body]}, status_code=error.status)


def _log(scope: Scope, headers: Headers, request_id: str, status: int, seconds: float) -> None:
    theirs = headers.get(REQUEST_ID, "")
    LOG.info(
        "%s %s %s %d %.1f ms%s",
        request_id,
        scope["method"],
        quote(scope["path"]),  # as it came: a line break must not begin a line of the log
        status,
        seconds * 1000,
        f" (for {theirs})" if _REQUEST_ID.fullmatch(theirs) else "",
    )
