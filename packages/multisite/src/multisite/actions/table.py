"""All actions, in one table. To add one is to add a row to its kind's."""

from collections.abc import Mapping

from multisite.actions import floating_ips, servers, volumes
from multisite.actions.model import Action

ACTIONS: tuple[Action, ...] = (*servers.ACTIONS, *volumes.ACTIONS, *floating_ips.ACTIONS)
BY_NAME: Mapping[tuple[str, str], Action] = {(each.kind, each.name): each for each in ACTIONS}
