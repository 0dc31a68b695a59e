"""Who may see and steer operations."""

from multisite.policy import TENANT, declare

LIST = "multisite:operation:list"
SHOW = "multisite:operation:show"
STEER = "multisite:operation:steer"
WRITES = "multisite:operation:writes"

RULES = [
    declare(
        LIST,
        TENANT,
        "See the operations of the project of the token; operators see those of all projects.",
        ("GET", "/v1/operations"),
    ),
    declare(
        SHOW,
        "rule:project_tenant",
        "See an operation of one's project, and follow it.",
        ("GET", "/v1/operations/{id}"),
        ("GET", "/v1/operations/{id}/events"),
    ),
    declare(
        STEER,
        "rule:operator or (rule:project_member and project_id:%(project_id)s)",
        "Cancel an operation of one's project, or try it again.",
        ("POST", "/v1/operations/{id}/cancel"),
        ("POST", "/v1/operations/{id}/retry"),
    ),
    declare(
        WRITES,
        "rule:project_tenant",
        "See what an operation of one's project wrote to regions.",
        ("GET", "/v1/operations/{id}/writes"),
    ),
]
