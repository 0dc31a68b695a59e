"""Who may see how capacity was."""

from multisite.policy import OPERATOR_READER, declare

HISTORY = "multisite:capacity:history"

RULES = [
    declare(
        HISTORY,
        OPERATOR_READER,
        "See how the capacity of regions was over time.",
        ("GET", "/v1/capacity/history"),
    ),
]
