"""Paths of regions' routes that have ids in them."""

from functools import lru_cache
from urllib.parse import quote


def is_segment(text: str) -> bool:
    """Whether a text can be one: no quoting makes one of nothing, or of the dots that lead elsewhere."""
    return text not in {"", ".", ".."}


@lru_cache(maxsize=4096)  # the same ones each minute
def route(*segments: str) -> str:
    """The path of these segments; whatever is in one, it stays one segment. Raises `ValueError`."""
    if not all(map(is_segment, segments)):
        raise ValueError(f"{segments!r} is no path")
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)
