"""Was this form sent from our own page? Against cross-site request forgery, the log-in included.

Two independent checks, both of which have to hold: where the browser says that the request comes from
(`Sec-Fetch-Site`, else `Origin`), and a token that is in the form and, sealed, in a cookie. Cookies are
`SameSite` besides. A redirect after the log-in goes only to a path of our own.
"""

import hmac
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from multisite.errors import BadRequest, Forbidden

#: A log-in form is small; more is an attempt to fill our memory.
LARGEST_FORM = 16 * 1024


class ForeignForm(Forbidden):
    """The form did not come from this page."""


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a URL-encoded form, of several of a name the last; raise BadRequest for anything else."""
    return {name: values[-1] for name, values in (await read_fields(request)).items()}


async def read_fields(request: Request, most: int = 20) -> dict[str, list[str]]:
    """The fields of a URL-encoded form with all values, at most `most`; raise BadRequest for others."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BadRequest("A form of this page is sent as application/x-www-form-urlencoded.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise BadRequest(f"The form is larger than {LARGEST_FORM} bytes.")
    try:
        return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise BadRequest("The form is not well formed.") from None


def require_own_form(request: Request, *, sent: str | None, expected: str | None) -> None:
    """Raise ForeignForm unless the form came from our own page and carries the token we put there."""
    if not from_own_page(request):
        raise ForeignForm("The form was sent from another site. Open the page itself and try again.")
    if not sent or not expected or not hmac.compare_digest(sent.encode(), expected.encode()):
        raise ForeignForm(
            "The form was too old, or cookies are turned off. Open the page anew and try again."
        )


def from_own_page(request: Request) -> bool:
    """Whether the browser says that our own page sent this; true where it says nothing at all."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc == request.headers.get("host", "")


def own_path(text: str | None, root_path: str) -> str | None:
    """`text` where it is a path of our own to which a log-in may lead, else `None`."""
    if not text or not text.startswith("/") or text.startswith("//"):
        return None
    if "\\" in text or any(ord(character) < 0x20 or ord(character) == 0x7F for character in text):  # noqa: PLR2004
        return None
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or parts.fragment or "/../" in f"{parts.path}/":
        return None
    inside = parts.path.removeprefix(root_path) if parts.path.startswith(f"{root_path}/") else None
    if inside is None or inside.rstrip("/") in {"/login", "/logout", "/events"}:
        return None
    return text
