"""Neutron's rules of security groups."""

from multisite.sim.http import Refusal
from multisite.sim.network.items import Items
from multisite.sim.network.model import SecurityGroup, SecurityGroupRule


class SecurityGroups(Items):
    """Each project has a group `default`; a rule is made once; what ports use stays."""

    def default_group(self, project_id: str) -> SecurityGroup:
        """The project's group `default`, which is made when it is first needed."""
        for group in self.security_groups.values():
            if group.project_id == project_id and group.name == "default":
                return group
        group = self._make_group("default", project_id, "Default security group")
        for ethertype in ("IPv4", "IPv6"):
            self._make_rule(
                group, direction="ingress", ethertype=ethertype, remote_group=group.id, description=None
            )
        return group

    def create_group(self, *, name: str, project_id: str, description: str = "") -> SecurityGroup:
        """A security group that lets everything out and nothing in. Raises `Refusal` (409)."""
        self.default_group(project_id)
        self.check_quota("security_group", project_id)
        self.check_quota("security_group_rule", project_id, 2)  # those that let everything out
        if name == "default":
            raise Refusal(
                409, "Default security group already exists.", kind="SecurityGroupDefaultAlreadyExists"
            )
        return self._make_group(name, project_id, description)

    def _make_group(self, name: str, project_id: str, description: str) -> SecurityGroup:
        group = self._make(SecurityGroup, project_id, name=name, description=description)
        self.security_groups[group.id] = group
        for ethertype in ("IPv4", "IPv6"):
            self._make_rule(group, direction="egress", ethertype=ethertype, description=None)
        return group

    def _make_rule(self, group: SecurityGroup, **values: object) -> SecurityGroupRule:
        rule = self._make(SecurityGroupRule, group.project_id, name="", group_id=group.id, **values)
        self.security_group_rules[rule.id] = rule
        return rule

    def create_rule(self, group: SecurityGroup, **values: object) -> SecurityGroupRule:
        """A rule that the group does not have yet. Raises `Refusal` (409)."""
        self.check_quota("security_group_rule", group.project_id)
        for rule in self.rules_of(group):
            if all(getattr(rule, name) == value for name, value in values.items() if name != "description"):
                raise Refusal(
                    409,
                    f"Security group rule already exists. Rule id is {rule.id}.",
                    kind="SecurityGroupRuleExists",
                )
        self.touch(group)
        return self._make_rule(group, **values)

    def rules_of(self, group: SecurityGroup) -> list[SecurityGroupRule]:
        """The rules of a group."""
        return [rule for rule in self.security_group_rules.values() if rule.group_id == group.id]

    def delete_group(self, group: SecurityGroup) -> None:
        """Delete a group that no port uses. Raises `Refusal` (409)."""
        if any(group.id in port.security_groups for port in self.ports.values()):
            raise Refusal(409, f"Security Group {group.id} in use.", kind="SecurityGroupInUse")
        if group.name == "default":
            raise Refusal(
                409, "Removing default security group not allowed.", kind="SecurityGroupCannotRemoveDefault"
            )
        for rule in self.rules_of(group):
            del self.security_group_rules[rule.id]
        del self.security_groups[group.id]
