"""What a sweep stores, as JSON documents and back.

A service has a *summary* (small: what listings and totals need) and a *detail* (what one region's page
needs). The dataclasses say what is in them; pydantic's adapters, which also write the API's answers,
carry them to JSON and back, so that a document in the database looks like its answer.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from multisite.capacity.details import (
    ComputeDetail,
    ImageDetail,
    NetworkDetail,
    PlacementDetail,
    VolumeDetail,
)
from multisite.capacity.model import (
    ComputeSummary,
    ImageSummary,
    NetworkSummary,
    PlacementSummary,
    VolumeSummary,
)

Summary = PlacementSummary | ComputeSummary | VolumeSummary | NetworkSummary | ImageSummary
Detail = PlacementDetail | ComputeDetail | VolumeDetail | NetworkDetail | ImageDetail

SUMMARIES: Mapping[str, type[Summary]] = {
    "placement": PlacementSummary,
    "compute": ComputeSummary,
    "volume": VolumeSummary,
    "network": NetworkSummary,
    "image": ImageSummary,
}
DETAILS: Mapping[str, type[Detail]] = {
    "placement": PlacementDetail,
    "compute": ComputeDetail,
    "volume": VolumeDetail,
    "network": NetworkDetail,
    "image": ImageDetail,
}


def to_text(value: Summary | Detail | None) -> bytes:
    """The document of a summary or detail as JSON text; `null` where there is none."""
    if value is None:
        return b"null"
    text: bytes = _ADAPTERS[type(value)].dump_json(value)
    return text


def summary_of(service: str, document: Mapping[str, Any] | None) -> Summary | None:
    """The summary in a document; `None` where there is none or an older multisite wrote it."""
    found: Summary | None = _read(SUMMARIES[service], document)
    return found


def detail_of(service: str, document: Mapping[str, Any] | None) -> Detail | None:
    """The detail in a document; `None` where there is none or an older multisite wrote it."""
    found: Detail | None = _read(DETAILS[service], document)
    return found


def _read(kind: type[Any], document: Mapping[str, Any] | None) -> Any:
    if document is None:
        return None
    try:
        return _ADAPTERS[kind].validate_python(document)
    except ValidationError:
        return None  # of another version: the next sweep, a minute away, writes it anew


_ADAPTERS: Mapping[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (*SUMMARIES.values(), *DETAILS.values())
}
