"""The fields of request bodies about regions: what is taken, and the sentence for what is not.

JSON is taken as it is written: a text is no number, and `1` is no truth value. Texts are plain (`texts.py`).
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    HttpUrl,
    TypeAdapter,
    ValidationError,
)

from multisite.http import written_moment
from multisite.regions.model import NAME_PATTERN, RESERVED_NAMES
from multisite.texts import visible

_WEB_ADDRESS = "write an address such as https://dashboard.example/, without user and password"
_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


def _name(text: str) -> str:
    if not NAME_PATTERN.fullmatch(text):
        raise ValueError(
            "write a letter or digit, then up to 254 letters, digits, '.', '_', '~' or '-' (no others)"
        )
    if text in RESERVED_NAMES:
        raise ValueError(f"{text!r} is a word of the API's own paths; take another")
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._~-]*", text):
        raise ValueError("write letters, digits, '.', '_', '~' or '-' (no others)")
    return text


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a moment in UTC lies between the years 1 and 9999") from error


def _web_address(value: Any) -> str:
    try:
        url = _URL.validate_python(value)
    except ValidationError as error:
        raise ValueError(_WEB_ADDRESS) from error
    if url.username is not None or url.password is not None:
        raise ValueError(_WEB_ADDRESS)
    return str(url)


NameField = Annotated[
    str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{NAME_PATTERN.pattern}$"})
]
Text = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(visible)]
LabelValue = Annotated[str, Field(max_length=255), AfterValidator(visible)]
Labels = Annotated[dict[Text, LabelValue], Field(max_length=64)]
Moment = Annotated[AwareDatetime, BeforeValidator(written_moment), AfterValidator(_utc)]
Flag = Annotated[bool, Field(strict=True)]
Position = Annotated[int, Field(strict=True, ge=-(2**31), lt=2**31)]
Interval = Annotated[int, Field(strict=True, ge=1, le=86400)]
Generation = Annotated[int, Field(strict=True, ge=1, lt=2**31)]
WebAddress = Annotated[str, BeforeValidator(_web_address), Field(json_schema_extra={"format": "uri"})]
Prefix = Annotated[str, Field(max_length=64), AfterValidator(_prefix)]
