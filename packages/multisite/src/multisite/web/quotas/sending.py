"""What all forms of quotas have: a text of their own, so that one that is sent twice is done once.

And how they read what people mean: a project by its name or id, a few words.
"""

import re
from collections.abc import Mapping, Sequence

from multisite.errors import BadRequest, Conflict, NotFound, RegionAway, TooManyRequests
from multisite.requester import Requester
from multisite.texts import visible
from multisite.web.inventory.acts import one
from multisite.web.inventory.asked import plain_text
from multisite.web.quotas.services import ProjectNames

Fields = Mapping[str, Sequence[str]]
#: What is told beside the form; anything else is a page of its own.
TOLD = (BadRequest, Conflict, NotFound, TooManyRequests, RegionAway)
#: Characters of a reason or an answer, as in the API.
MOST_SAID = 1000
#: Ids of projects as Keystone makes them: a UUID without dashes, or a SHA-256.
_PROJECT_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
#: What `new_form_token` makes.
_TEXT = re.compile(r"[A-Za-z0-9_-]{16,48}")


def once_of(fields: Fields) -> str:
    """The form's own text. Raises `BadRequest` for a form that has none."""
    text = one(fields, "once")
    if not _TEXT.fullmatch(text):
        raise BadRequest("The form was too old. Open the page anew and try again.")
    return text


def said(fields: Fields, name: str, wanted: str = "") -> str:
    """What was written in words, on one line.

    Raises `BadRequest` for too much, for what nobody sees, and `wanted` for nothing.
    """
    try:
        text = visible(" ".join(one(fields, name).split()))
    except ValueError as error:
        raise BadRequest(f"{name}: {error}") from error
    if wanted and not text:
        raise BadRequest(f"{name}: {wanted}")
    if len(text) > MOST_SAID:
        raise BadRequest(f"{name}: write {MOST_SAID} characters at most; these are {len(text)}")
    return text


async def project_of(projects: ProjectNames, requester: Requester, text: str) -> str:
    """The id of the project that is meant by a name or an id. Raises `BadRequest`.

    What looks like an id is taken for one: of a project that is new or gone nobody knows the name.
    """
    typed = plain_text(text)
    return typed if _PROJECT_ID.fullmatch(typed) else await projects.id_of(requester, typed)
