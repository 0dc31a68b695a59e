"""Who may see how quotas were used."""

from multisite.policy import declare

HISTORY = "multisite:quota:history:list"

RULES = [
    declare(
        HISTORY,
        "rule:project_tenant",
        "See how a project's quota was used, and when it runs out.",
        ("GET", "/v1/quotas/{project_id}/history"),
    ),
]
