"""Which part of a history is asked for: the options of all commands that show one."""

import argparse
from datetime import UTC, datetime, timedelta


def add_span(parser: argparse.ArgumentParser) -> None:
    """`--since` or `--hours`, `--until` and `--resolution`."""
    beginning = parser.add_mutually_exclusive_group()
    beginning.add_argument(
        "--since",
        metavar="<time>",
        type=_moment,
        help="From when on, like 2026-11-22T12:00:00Z (default: a day ago); without a zone it is UTC",
    )
    beginning.add_argument("--hours", metavar="<number>", type=_hours, help="The last hours")
    parser.add_argument("--until", metavar="<time>", type=_moment, help="Until when (default: now)")
    parser.add_argument(
        "--resolution",
        choices=("raw", "hour"),
        help="Every change, or one reading an hour (default: changes as long as they are kept)",
    )


def span_of(parsed_args: argparse.Namespace) -> dict[str, str | None]:
    """What the API is asked for: `since`, `until` (ISO 8601) and `resolution`."""
    since, until = parsed_args.since, parsed_args.until
    if parsed_args.hours is not None:
        since = (until or datetime.now(UTC)) - timedelta(hours=parsed_args.hours)
    return {
        "since": since.isoformat() if since else None,
        "until": until.isoformat() if until else None,
        "resolution": parsed_args.resolution,
    }


def _moment(text: str) -> datetime:
    """A time as somebody types it; UTC where no zone is named."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a time such as 2026-11-22T12:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _hours(text: str) -> float:
    """A number of hours, up to ten years."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 24 * 3660:
        raise argparse.ArgumentTypeError(f"{text} is not a number of hours, such as 24")
    return number
