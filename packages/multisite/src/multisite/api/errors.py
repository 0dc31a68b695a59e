"""Errors as answers, in the API-SIG form, whatever raised them."""

import logging
import math

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from multisite.api import mistakes
from multisite.api.middleware import REQUEST_ID
from multisite.errors import (
    BadRequest,
    MethodNotAllowed,
    MultisiteError,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)
from multisite.web.accept import prefers_html
from multisite.web.pages import Pages

LOG = logging.getLogger(__name__)

#: What FastAPI says of a body that its parser stumbles over.
_UNREADABLE = "There was an error parsing the body"


def install(app: FastAPI, auth_url: str) -> None:
    """Answer every exception in one form. `auth_url` tells clients where to get a token."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, MultisiteError)  # noqa: S101 - registered for this class only
        headers = {}
        if error.told != error.detail:
            request_id = getattr(request.state, "request_id", "")
            LOG.log(
                error.log_level, "%s %s %s: %s", request_id, request.method, request.url.path, error.detail
            )
        if isinstance(error, Unauthenticated):
            headers["WWW-Authenticate"] = f'Keystone uri="{auth_url}"'
        if isinstance(error, TooManyRequests) and error.retry_after is not None:
            headers["Retry-After"] = str(math.ceil(error.retry_after))
        return _answer(request, error, headers)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return _answer(request, BadRequest(mistakes.sentence(error.errors(), _body(request))))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        if error.status_code == NotFound.status and _is_for_a_browser(request):
            pages: Pages = request.app.state.pages
            return await pages.missing(request)
        return _answer(request, _translated(request, error), dict(error.headers or {}))

    async def unknown(request: Request, error: Exception) -> JSONResponse:
        request_id = getattr(request.state, "request_id", "")
        LOG.error("%s %s %s failed", request_id, request.method, request.url.path, exc_info=error)
        mistake = MultisiteError("multisite made a mistake; the log has it under this request id")
        return _answer(request, mistake, {REQUEST_ID: request_id})  # Starlette answers past `Envelope`

    app.add_exception_handler(MultisiteError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unknown)


def _is_for_a_browser(request: Request) -> bool:
    path = f"{request.url.path.removeprefix(request.scope.get('root_path', ''))}/"
    if path.startswith("/v1/") or not request.app.state.pages:
        return False
    return prefers_html(request.headers.get("accept", ""))


def _answer(request: Request, error: MultisiteError, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {
        "status": error.status,
        "code": error.code,
        "title": error.title,
        "detail": error.told,
        "request_id": getattr(request.state, "request_id", ""),
    }
    if error.hint:
        body["hint"] = error.hint
    return JSONResponse({"errors": [body]}, status_code=error.status, headers=headers)


def _translated(request: Request, error: HTTPException) -> MultisiteError:
    path = request.url.path[: mistakes.MOST_ECHOED]
    if error.status_code == NotFound.status:
        return NotFound(f"there is nothing at {path}")
    if error.status_code == MethodNotAllowed.status:
        return MethodNotAllowed(f"{path} has no method {request.method}")
    if error.detail == _UNREADABLE:
        return BadRequest("the body cannot be read as JSON: it is no text, or nested too deep")
    return BadRequest(str(error.detail))


def _body(request: Request) -> type[BaseModel] | None:
    """The model of the body that the request's route takes."""
    field = getattr(request.scope.get("route"), "body_field", None)
    model = field.field_info.annotation if field else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None
