"""Who may see capacity."""

from multisite.policy import OPERATOR_READER, declare

LIST = "multisite:capacity:list"
SHOW = "multisite:capacity:show"

RULES = [
    declare(LIST, OPERATOR_READER, "See the capacity of all regions.", ("GET", "/v1/capacity")),
    declare(
        SHOW, OPERATOR_READER, "See the capacity of one region in detail.", ("GET", "/v1/capacity/{region}")
    ),
]
