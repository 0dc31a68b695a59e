"""Who may see the use of a project."""

from multisite.policy import TENANT, declare

LIST = "multisite:usage:list"
SHOW = "multisite:usage:show"

RULES = [
    declare(
        LIST,
        TENANT,
        "List the use of projects: operators see all that are followed, others the project of their token.",
        ("GET", "/v1/usage"),
    ),
    declare(SHOW, "rule:project_tenant", "See the use of a project.", ("GET", "/v1/usage/{project_id}")),
]
