"""Does the one who asks want a page, or JSON?"""


def prefers_html(accept: str) -> bool:
    """Whether an `Accept` header names HTML, and nothing of JSON's with more weight."""
    weights = dict(_weighted(part) for part in accept.split(","))
    html = weights.get("text/html", 0.0)
    return html > 0 and html >= weights.get("application/json", 0.0)


def _weighted(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return kind, float(value)
            except ValueError:
                return kind, 0.0
    return kind, 1.0
