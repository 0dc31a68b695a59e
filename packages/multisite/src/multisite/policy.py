"""Who may do what: oslo.policy, with the rules that each domain declares in its `policies.py`.

Operators may override any rule in the policy file, as for every OpenStack service. The sample file and
docs/reference/policies.md are made from the same declarations.
"""

from collections.abc import Mapping
from typing import Any

from oslo_policy import policy as oslo

from multisite.errors import Forbidden
from multisite.requester import Requester

#: Rules that others are made of.
OPERATOR = "rule:operator"
OPERATOR_READER = "rule:operator_reader"
TENANT = "rule:tenant"

BASE_RULES = [
    oslo.RuleDefault(
        "operator", "role:admin", "Runs the regions: role admin in any project, or in the system."
    ),
    oslo.RuleDefault(
        "operator_reader",
        "rule:operator or (role:reader and system_scope:all)",
        "Sees what operators see, and changes nothing.",
    ),
    oslo.RuleDefault(
        "tenant",
        "role:reader or role:member or role:manager or rule:operator_reader",
        "Has a role in the project of the token.",
    ),
    oslo.RuleDefault(
        "project_tenant",
        "rule:operator_reader or (project_id:%(project_id)s and rule:tenant)",
        "Has a role in the very project that is asked about.",
    ),
]


def declare(
    name: str, check: str, description: str, *operations: tuple[str, str]
) -> oslo.DocumentedRuleDefault:
    """One documented rule; `operations` are (method, path)."""
    return oslo.DocumentedRuleDefault(
        name=name,
        check_str=check,
        description=description,
        operations=[{"method": method, "path": path} for method, path in operations],
    )


class Policy:
    """Asks oslo.policy."""

    def __init__(self, conf: Any, rules: list[Any]) -> None:
        self._enforcer = oslo.Enforcer(conf)
        self._enforcer.register_defaults(rules)

    def allows(self, requester: Requester, rule: str, target: Mapping[str, Any] | None = None) -> bool:
        """Whether `requester` may do what `rule` guards, to `target`."""
        return bool(self._enforcer.authorize(rule, dict(target or {}), _credentials(requester)))

    def require(self, requester: Requester, rule: str, target: Mapping[str, Any] | None = None) -> None:
        """Raise `Forbidden` unless `requester` may."""
        if not self.allows(requester, rule, target):
            raise Forbidden(f"the policy {rule} does not allow this with the roles of this token")


def _credentials(requester: Requester) -> dict[str, Any]:
    credentials = {
        "user_id": requester.user_id,
        "roles": sorted(requester.roles),
        "system_scope": "all" if requester.system_scope else None,
    }
    if requester.project_id:  # oslo.policy compares texts: None would match a project called "None"
        credentials["project_id"] = requester.project_id
    return credentials
