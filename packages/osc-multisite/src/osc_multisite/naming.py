"""Which item a user means: an id, or a name that one item has.

An id together with a region is taken as it is: it may be too new to be in the inventory. Everything else is
looked up there; what several items are called is refused, with the ids to choose from.
"""

import argparse
import re
from typing import Any

from osc_lib import exceptions

#: Ids as OpenStack makes them: a UUID, with or without dashes.
ID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
#: Candidates that a sentence names.
NAMED = 5


def add_item(parser: argparse.ArgumentParser, word: str) -> None:
    """The item, and its region where the item alone does not tell."""
    words = word.replace("-", " ")
    parser.add_argument("item", metavar=f"<{word}>", help=f"The {words} (name or ID)")
    parser.add_argument(
        "--region", metavar="<name>", help=f"Its region (default: the only one with such a {words})"
    )


def find(multisite: Any, kind: str, text: str, region: str | None) -> tuple[str, str]:
    """The region and the id of an item of a kind (in the plural).

    Raises:
        CommandError: there is no such item, or there are several.
    """
    if region is not None and ID.fullmatch(text):
        return region, text
    regions = [region] if region is not None else []
    if ID.fullmatch(text):
        one = kind.replace("-", "_").removesuffix("s")
        found = [
            each["item"]
            for each in multisite.where(text)["found"]
            if each["match"] == "id" and each["exact"] and each["item"]["kind"] == one
        ]
    else:
        found = multisite.inventory(kind, region=regions, name=text, visible=True).items
        found = [each for each in found if each["name"] == text]
    return _only(kind, text, region, found)


def _only(kind: str, text: str, region: str | None, found: list[dict[str, Any]]) -> tuple[str, str]:
    word = kind.replace("-", " ").removesuffix("s")
    where = f"region '{region}'" if region is not None else "any region"
    if not found:
        raise exceptions.CommandError(f"No {word} '{text}' is known in {where}{_advice(text, region)}.")
    if len(found) > 1:
        named = ", ".join(f"{each['id']} in {each['region']}" for each in found[:NAMED])
        rest = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise exceptions.CommandError(
            f"Several {word}s are called '{text}': {named}{rest}. Give the ID, and --region."
        )
    return str(found[0]["region"]), str(found[0]["id"])


def _advice(text: str, region: str | None) -> str:
    """What helps where the item was made elsewhere a moment ago."""
    if ID.fullmatch(text):
        return "; if it was made elsewhere a moment ago, add its --region"
    return "; if it was made elsewhere a moment ago, give its ID" + (
        " and --region" if region is None else ""
    )


def find_flavor(multisite: Any, text: str, region: str) -> str:
    """The id of a flavor in a region, among those that the token's project may use.

    Raises:
        CommandError: the region offers no such flavor.
    """
    offers = multisite.offers(region)
    flavors = offers["flavors"]
    ids = [each["id"] for each in flavors if text in {each["id"], each["name"]}]
    if len(ids) == 1:
        return str(ids[0])
    if not flavors and not offers["complete"]:
        return text  # the region does not tell its flavors now; it will say whether this is one
    names = ", ".join(each["name"] for each in flavors)
    raise exceptions.CommandError(f"Region '{region}' offers no flavor '{text}'; it offers: {names}.")
