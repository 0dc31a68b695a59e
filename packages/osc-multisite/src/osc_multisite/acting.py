"""What the commands that change something have in common.

An action on an item prints nothing when the region has taken it on, as `openstack server stop` does. What
creates something shows it, and sends a key of its own: should the answer be lost, the same command with that
key makes nothing twice.
"""

import argparse
import uuid
from typing import Any, ClassVar

from osc_multisite import errors
from osc_multisite.columns import Cell
from osc_multisite.command import Command, ShowOne
from osc_multisite.inventory import shown
from osc_multisite.naming import add_item, find
from osc_multisite.waiting import Goal, add_wait, wait

#: After these nobody knows whether it was done.
UNCERTAIN = {"region-answer-lost", "region-failed", "action-in-progress"}


class Act(Command):
    """Do something to an item of a region."""

    kind: ClassVar[str]
    action: ClassVar[str]
    goal: ClassVar[Goal | None] = None

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The item."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_item(parser, self.kind.removesuffix("s"))
        if self.goal is not None:
            add_wait(parser)
        return parser

    def body(self, parsed_args: argparse.Namespace, region: str) -> dict[str, Any] | None:  # noqa: ARG002
        """What the request says, beside which item."""
        return None

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Find the item, ask for the action, wait if told so."""
        region, item_id = find(self.multisite, self.kind, parsed_args.item, parsed_args.region)
        if self.action == "delete":
            self.multisite.delete_item(self.kind, region, item_id)
        else:
            body = self.body(parsed_args, region)
            self.multisite.act(self.kind, region, item_id, self.action, body)
        if self.goal is not None and parsed_args.wait:
            wait(self.multisite, self.kind, region, item_id, self.goal)


class Create(ShowOne):
    """Make something in a region."""

    kind: ClassVar[str]
    goal: ClassVar[Goal | None] = None
    keyed: ClassVar[bool] = True

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The region, and how to repeat a request."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("--region", metavar="<name>", required=True, help="Region in which to make it")
        if self.keyed:
            parser.add_argument(
                "--idempotency-key",
                metavar="<key>",
                help="Key of an earlier try whose answer was lost: what that made is not made again",
            )
        if self.goal is not None:
            add_wait(parser)
        return parser

    def body(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        """What the request says, beside the region."""
        raise NotImplementedError

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        """Ask for it, wait if told so, show it."""
        body = self.body(parsed_args)
        key = (parsed_args.idempotency_key or str(uuid.uuid4())) if self.keyed else None
        try:
            acted = self.multisite.create_item(self.kind, parsed_args.region, body, key=key)
        except (errors.ApiError, errors.ServiceAway) as error:
            if key is not None and getattr(error, "code", "region-answer-lost") in UNCERTAIN:
                self.log.warning("To repeat this without making two, add: --idempotency-key %s", key)
            raise
        item = acted["item"]
        if self.goal is not None and parsed_args.wait:
            item = wait(self.multisite, self.kind, parsed_args.region, acted["id"], self.goal)
        if item is None:  # made, but not read back
            return ("region", "id"), (Cell(acted["region"]), Cell(acted["id"]))
        return shown(item)
