"""Who may ask for more quota, and who decides."""

from multisite.policy import OPERATOR, TENANT, declare

LIST = "multisite:quota_request:list"
SHOW = "multisite:quota_request:show"
CREATE = "multisite:quota_request:create"
CANCEL = "multisite:quota_request:cancel"
DECIDE = "multisite:quota_request:decide"

_OWN = "rule:operator or (rule:project_member and project_id:%(project_id)s)"

RULES = [
    declare(
        LIST,
        TENANT,
        "List requests for more quota: operators see those of all projects, others their own.",
        ("GET", "/v1/quota-requests"),
    ),
    declare(SHOW, "rule:project_tenant", "See a request for more quota.", ("GET", "/v1/quota-requests/{id}")),
    declare(CREATE, _OWN, "Ask for more quota for one's project.", ("POST", "/v1/quota-requests")),
    declare(
        CANCEL,
        _OWN,
        "Take a request of one's project back.",
        ("POST", "/v1/quota-requests/{id}/cancel"),
    ),
    declare(
        DECIDE,
        OPERATOR,
        "Approve and refuse requests for more quota.",
        ("POST", "/v1/quota-requests/{id}/approve"),
        ("POST", "/v1/quota-requests/{id}/refuse"),
    ),
]
