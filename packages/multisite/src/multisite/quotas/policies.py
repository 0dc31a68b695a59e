"""Who may see and change quotas."""

from multisite.policy import OPERATOR, OPERATOR_READER, TENANT, declare

LIST = "multisite:quota:list"
SHOW = "multisite:quota:show"
SET = "multisite:quota:set"
BALANCE = "multisite:quota:balance"
CLASSES = "multisite:quota:class:list"
SET_CLASS = "multisite:quota:class:set"
CAPS = "multisite:quota:cap:list"
SET_CAP = "multisite:quota:cap:set"
BACKENDS = "multisite:quota:backend:list"
SET_BACKEND = "multisite:quota:backend:set"
EVENTS = "multisite:quota:event:list"
IMPORT = "multisite:quota:import"

_OWN = "rule:operator or (rule:project_member and project_id:%(project_id)s)"

RULES = [
    declare(
        LIST, TENANT, "List quotas: operators see all projects, others their own.", ("GET", "/v1/quotas")
    ),
    declare(SHOW, "rule:project_tenant", "See a project's quota.", ("GET", "/v1/quotas/{project_id}")),
    declare(
        SET,
        OPERATOR,
        "Set and unset global limits, classes of projects, bounds of regions, raises; try that out.",
        ("PATCH", "/v1/quotas/{project_id}"),
        ("POST", "/v1/quotas/{project_id}/plan"),
        ("DELETE", "/v1/quotas/{project_id}"),
    ),
    declare(
        BALANCE, _OWN, "Have a project's quota balanced now.", ("POST", "/v1/quotas/{project_id}/balance")
    ),
    declare(CLASSES, OPERATOR_READER, "List quota classes.", ("GET", "/v1/quota-classes")),
    declare(
        SET_CLASS,
        OPERATOR,
        "Change and delete quota classes; try that out.",
        ("PATCH", "/v1/quota-classes/{name}"),
        ("POST", "/v1/quota-classes/{name}/plan"),
        ("DELETE", "/v1/quota-classes/{name}"),
    ),
    declare(
        CAPS, OPERATOR_READER, "List what domains and trees of projects may have.", ("GET", "/v1/quota-caps")
    ),
    declare(SET_CAP, OPERATOR, "Set what a domain or tree of projects may have.", ("PUT", "/v1/quota-caps")),
    declare(BACKENDS, OPERATOR_READER, "List where regions keep limits.", ("GET", "/v1/quota-backends")),
    declare(
        SET_BACKEND,
        OPERATOR,
        "Say where a service of a region keeps limits.",
        ("PUT", "/v1/quota-backends/{region}/{service}"),
    ),
    declare(
        EVENTS,
        TENANT,
        "See events of quotas: operators those of all projects, others their own.",
        ("GET", "/v1/quota-events"),
    ),
    declare(
        IMPORT,
        OPERATOR,
        "Propose global limits from what regions have today.",
        ("POST", "/v1/quotas/import"),
    ),
]
