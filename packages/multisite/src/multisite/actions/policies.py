"""Who may act.

These rules are the first door: a region asks its own policy too, since every call carries the user's token.
"""

from oslo_policy import policy as oslo

from multisite.actions.table import ACTIONS
from multisite.policy import TENANT, declare

OFFERS = "multisite:inventory:offers"

RULES = [
    oslo.RuleDefault(
        "project_member",
        "role:member or role:manager or rule:operator",
        "May change things in the project of the token; which ones, the region decides.",
    ),
    *(
        declare(
            action.rule,
            "rule:project_member",
            f"{action.what[:1].upper()}{action.what[1:]} in a region.",
            (action.method, action.path),
        )
        for action in ACTIONS
    ),
    declare(
        OFFERS,
        TENANT,
        "See what a region offers for new servers and volumes, and how many fit.",
        ("GET", "/v1/inventory/offers/{region}"),
    ),
]
