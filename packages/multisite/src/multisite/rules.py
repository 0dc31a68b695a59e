"""All policy rules: those that others are made of, and those of every domain."""

from typing import Any

from multisite.actions import policies as actions
from multisite.capacity import policies as capacity
from multisite.capacity.history import policies as history
from multisite.engine import policies as operations
from multisite.inventory import policies as inventory
from multisite.policy import BASE_RULES
from multisite.quotas import policies as quotas
from multisite.quotas.history import policies as quota_history
from multisite.quotas.requests import policies as quota_requests
from multisite.regions import policies as regions
from multisite.usage import policies as usage


def list_rules() -> list[Any]:
    """What the enforcer registers and the sample generator of oslo.policy asks for."""
    of_quotas = (quotas, quota_history, quota_requests)
    domains = (regions, capacity, history, usage, inventory, actions, *of_quotas, operations)
    return [*BASE_RULES, *(rule for domain in domains for rule in domain.RULES)]
