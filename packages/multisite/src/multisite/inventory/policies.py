"""Who may see the inventory."""

from multisite.policy import OPERATOR_READER, TENANT, declare

LIST = "multisite:inventory:list"
LIST_ALL = "multisite:inventory:list_all"
KEYPAIRS = "multisite:inventory:keypairs"

RULES = [
    declare(
        LIST,
        TENANT,
        "See what one's project has in all regions, and what others show it.",
        ("GET", "/v1/inventory/{kind}"),
        ("GET", "/v1/inventory/{kind}/{region}/{id}"),
        ("GET", "/v1/inventory/search"),
    ),
    declare(
        LIST_ALL,
        OPERATOR_READER,
        "See the items of all projects, with what only operators see of them.",
        ("GET", "/v1/inventory/{kind}"),
        ("GET", "/v1/inventory/{kind}/{region}/{id}"),
        ("GET", "/v1/inventory/search"),
    ),
    declare(
        KEYPAIRS,
        "rule:operator_reader or (rule:tenant and user_id:%(user_id)s)",
        "See the keypairs of a user.",
        ("GET", "/v1/inventory/keypairs"),
    ),
]
