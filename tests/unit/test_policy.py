"""Who may do what, as the default rules say."""

from pathlib import Path

import pytest

from multisite import settings
from multisite.actions.table import ACTIONS
from multisite.errors import Forbidden
from multisite.policy import Policy
from multisite.requester import Requester
from multisite.rules import list_rules

CHANGES = {
    "multisite:regions:create",
    "multisite:regions:update",
    "multisite:regions:delete",
    "multisite:regions:discover",
    "multisite:regions:test",
    "multisite:quota:set",
    "multisite:quota:class:set",
    "multisite:quota:cap:set",
    "multisite:quota:backend:set",
    "multisite:quota:import",
    "multisite:quota_request:decide",
}
OPERATORS_SEE = {
    "multisite:regions:details",
    "multisite:capacity:list",
    "multisite:capacity:show",
    "multisite:capacity:history",
    "multisite:inventory:list_all",
    "multisite:inventory:keypairs",  # of anybody
    "multisite:quota:class:list",
    "multisite:quota:cap:list",
    "multisite:quota:backend:list",
}
TENANTS_SEE = {
    "multisite:regions:list",
    "multisite:health:list",
    "multisite:usage:list",
    "multisite:inventory:list",
    "multisite:inventory:offers",
    "multisite:operation:list",
    "multisite:quota:list",
    "multisite:quota:event:list",
    "multisite:quota_request:list",
}
OWN_PROJECT = {
    "multisite:usage:show",
    "multisite:operation:show",
    "multisite:operation:writes",
    "multisite:quota:show",
    "multisite:quota:history:list",
    "multisite:quota_request:show",
}
OWN_PROJECT_DOES = {
    "multisite:operation:steer",
    "multisite:quota:balance",
    "multisite:quota_request:create",
    "multisite:quota_request:cancel",
}
MEMBERS_DO = {action.rule for action in ACTIONS}


def who(*roles: str, project: str | None = "p1", system: bool = False) -> Requester:
    return Requester("u", "user", "Default", project, "alpha", "Default", frozenset(roles), system)


@pytest.fixture
def policy() -> Policy:
    return Policy(settings.load(files=[]).oslo, list_rules())


def allowed(policy: Policy, requester: Requester, project: str = "p1") -> set[str]:
    rules = {rule.name for rule in list_rules() if rule.name.startswith("multisite:")}
    return {rule for rule in rules if policy.allows(requester, rule, {"project_id": project})}


def test_every_rule_is_in_one_of_the_lists_here() -> None:
    names = {rule.name for rule in list_rules() if rule.name.startswith("multisite:")}
    assert names == CHANGES | OPERATORS_SEE | TENANTS_SEE | OWN_PROJECT | OWN_PROJECT_DOES | MEMBERS_DO


@pytest.mark.parametrize("system", [False, True])
def test_an_administrator_may_do_everything(policy: Policy, *, system: bool) -> None:
    admin = who("admin", project=None if system else "p1", system=system)
    everything = CHANGES | OPERATORS_SEE | TENANTS_SEE | OWN_PROJECT | OWN_PROJECT_DOES | MEMBERS_DO
    assert allowed(policy, admin, "p2") == everything


def test_a_system_reader_sees_everything_and_changes_nothing(policy: Policy) -> None:
    reader = who("reader", project=None, system=True)
    assert allowed(policy, reader, "p2") == OPERATORS_SEE | TENANTS_SEE | OWN_PROJECT


@pytest.mark.parametrize("role", ["reader", "member", "manager"])
def test_a_tenant_sees_regions_and_its_own_project(policy: Policy, role: str) -> None:
    acts = MEMBERS_DO if role != "reader" else set()
    own = OWN_PROJECT_DOES if role != "reader" else set()
    assert allowed(policy, who(role)) == TENANTS_SEE | OWN_PROJECT | own | acts
    assert allowed(policy, who(role), "p2") == TENANTS_SEE | acts


@pytest.mark.parametrize("role", ["service", "creator", "swiftoperator"])
def test_another_role_gives_nothing(policy: Policy, role: str) -> None:
    assert allowed(policy, who(role)) == set()


def test_a_role_in_the_system_other_than_reader_gives_no_project(policy: Policy) -> None:
    member = who("member", project=None, system=True)
    assert allowed(policy, member, "None") == TENANTS_SEE | MEMBERS_DO  # which needs a project besides
    assert allowed(policy, member, "") == TENANTS_SEE | MEMBERS_DO


def test_require_says_which_rule(policy: Policy) -> None:
    with pytest.raises(Forbidden, match="the policy multisite:regions:create does not allow this"):
        policy.require(who("reader"), "multisite:regions:create")
    policy.require(who("admin"), "multisite:regions:create")


def test_operators_may_change_a_rule_in_the_policy_file(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text('"multisite:capacity:list": "role:member"\n', encoding="utf-8")
    config = tmp_path / "multisite.conf"
    config.write_text(f"[oslo_policy]\npolicy_file = {tmp_path}/policy.yaml\n", encoding="utf-8")
    policy = Policy(settings.load(files=[config]).oslo, list_rules())

    assert policy.allows(who("member"), "multisite:capacity:list")
    assert not policy.allows(who("member"), "multisite:capacity:show")


def test_operator_and_operator_reader_agree_with_the_rules(policy: Policy) -> None:
    for requester in (who("admin"), who("reader"), who("reader", project=None, system=True), who("member")):
        assert requester.operator is policy.allows(requester, "operator")
        assert requester.operator_reader is policy.allows(requester, "operator_reader")
