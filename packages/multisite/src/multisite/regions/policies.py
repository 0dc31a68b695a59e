"""Who may see and change regions."""

from multisite.policy import OPERATOR, OPERATOR_READER, TENANT, declare

LIST = "multisite:regions:list"
DETAILS = "multisite:regions:details"
CREATE = "multisite:regions:create"
UPDATE = "multisite:regions:update"
DELETE = "multisite:regions:delete"
DISCOVER = "multisite:regions:discover"
TEST = "multisite:regions:test"
HEALTH = "multisite:health:list"

RULES = [
    declare(
        LIST,
        TENANT,
        "List regions and their states.",
        ("GET", "/v1/regions"),
        ("GET", "/v1/regions/{name}"),
    ),
    declare(
        DETAILS,
        OPERATOR_READER,
        "See credentials' names, endpoints and the details of errors.",
        ("GET", "/v1/regions"),
        ("GET", "/v1/regions/{name}"),
        ("GET", "/v1/regions/{name}/health"),
        ("GET", "/v1/health"),
    ),
    declare(CREATE, OPERATOR, "Register a region.", ("POST", "/v1/regions")),
    declare(UPDATE, OPERATOR, "Change a region.", ("PATCH", "/v1/regions/{name}")),
    declare(DELETE, OPERATOR, "Forget a region.", ("DELETE", "/v1/regions/{name}")),
    declare(
        DISCOVER,
        OPERATOR,
        "Register the regions of a catalog, or of many.",
        ("POST", "/v1/regions/discover"),
        ("POST", "/v1/regions/discover/all"),
    ),
    declare(
        TEST,
        OPERATOR,
        "Test what the credentials of regions lack.",
        ("POST", "/v1/regions/{name}/test"),
        ("POST", "/v1/regions/test"),
    ),
    declare(
        HEALTH,
        TENANT,
        "See how the services of regions are.",
        ("GET", "/v1/regions/{name}/health"),
        ("GET", "/v1/health"),
    ),
]
