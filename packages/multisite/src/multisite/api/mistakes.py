"""What is wrong with a request, in our words: where, and what would be right.

FastAPI hands over what pydantic found. The common kinds of mistakes have a sentence here; a kind that has
none keeps pydantic's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from multisite.http import LINE, MOMENT, TEXT
from multisite.quotas.model import CLASS_NAME

#: So many mistakes are told at once.
TOLD = 3
#: So many characters of what was sent are sent back with them.
MOST_ECHOED = 200
_PLACES = {"body", "query", "path", "header"}
_OBJECT = "write an object, in braces"
_SENTENCES = {
    "missing": "this field is required",
    "string_type": "write a text, in quotes",
    "string_unicode": "it holds half a character; write plain text",
    "string_too_long": "it has more than {max_length} characters",
    "string_pattern_mismatch": "it has to match {pattern}",
    "bool_type": "write true or false, without quotes",
    "bool_parsing": "write true or false",
    "int_type": "write a whole number, without quotes",
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a smaller number",
    "greater_than_equal": "write a number of {ge} or more",
    "less_than_equal": "write a number of {le} or less",
    "less_than": "write a number less than {lt}",
    "enum": "write {expected}",
    "literal_error": "write {expected}",
    "list_type": "write a list, in brackets",
    "too_long": "it has more than {max_length} items",
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "timezone_aware": MOMENT,
    "datetime_type": MOMENT,
    "datetime_parsing": MOMENT,
    "datetime_from_date_parsing": MOMENT,
    "datetime_object_invalid": MOMENT,
}

#: What is too short, and of what it has too few.
_SHORT = {"string_too_short": "characters", "too_short": "items"}

Mistake = Mapping[str, Any]


def sentence(mistakes: Sequence[Mistake], body: type[BaseModel] | None) -> str:
    """The first few mistakes; `body` is the model of the request's body, if it has one."""
    return "; ".join(_one(mistake, body) for mistake in mistakes[:TOLD])


def _one(mistake: Mistake, body: type[BaseModel] | None) -> str:
    kind, location = mistake["type"], tuple(mistake["loc"])
    if kind == "json_invalid":
        return f"the body is no JSON (at character {location[-1] + 1})"
    if kind == "missing" and location == ("body",):
        return "the body is missing; send JSON"
    path = location[1:] if location[:1] and location[0] in _PLACES else location
    what = _what(mistake, path, body)
    if not path and kind == "value_error":
        return what  # the model's own sentence names its fields
    where = ".".join(_plain(str(part)) for part in path) or "body"
    return f"{where}: {what}"


#: What patterns of texts mean, in words.
_PLAIN = {
    CLASS_NAME: "write a letter or digit, then letters, digits, '.', '_' or '-' (no others)",
    TEXT: "it holds the character U+0000; write plain text",
    LINE: "it holds a line break or another control character; write plain text in one line",
}


def _what(mistake: Mistake, path: Sequence[Any], body: type[BaseModel] | None) -> str:
    kind, context = mistake["type"], mistake.get("ctx") or {}
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return f"there is no such field; there are: {', '.join(_fields(body, path[:-1]))}"
    if kind in _SHORT:
        least = context["min_length"]
        return "it must not be empty" if least == 1 else f"it has less than {least} {_SHORT[kind]}"
    if kind == "string_pattern_mismatch" and context.get("pattern") in _PLAIN:
        return _PLAIN[context["pattern"]]
    if not path and isinstance(mistake.get("input"), bytes):
        return "send it with the header Content-Type: application/json"
    known = _SENTENCES.get(kind)
    return known.format(**context) if known else str(mistake["msg"])


def _fields(model: type[BaseModel] | None, path: Sequence[Any]) -> list[str]:
    """The names of the fields at `path` of a body; keys of mappings and places of lists are passed over."""
    for part in path:
        field = model.model_fields.get(str(part)) if model else None
        model = _model_in(field.annotation) if field else model
    return sorted(model.model_fields) if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The first model that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(each) for each in get_args(annotation))
    return next((each for each in found if each is not None), None)


def _plain(text: str) -> str:
    return text if text.isprintable() else ascii(text)
