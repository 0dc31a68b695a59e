"""What is forgotten when it is old: operations that ended, the journal of writes, the audit trail.

Every process does a bite of it now and then, so that no delete is long and nobody has to be chosen for it.
A write of an operation stays as long as the operation does, however short the journal is kept.
"""

from dataclasses import dataclass
from datetime import timedelta

from multisite.clock import Clock
from multisite.db import audit
from multisite.engine.durable import Durable, workflow_id_of
from multisite.engine.store import OperationStore
from multisite.engine.writes import Journal
from multisite.settings import OperationSettings

#: Operations that one round forgets at most, and rows of the journal and of the audit trail.
OPERATIONS, ROWS = 200, 1000


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Forgets what is older than the settings say."""

    store: OperationStore
    durable: Durable
    settings: OperationSettings
    clock: Clock

    async def round(self) -> bool:
        """Forget a bite; whether there may be more."""
        operations = await self._operations()
        rows = [await self._journal(), await self._audit()]
        return operations or max(rows) == ROWS

    async def _operations(self) -> bool:
        moment = self.clock.now() - timedelta(seconds=self.settings.keep)
        old = await self.store.finished_before(moment, OPERATIONS)
        if not old:
            return False
        workflows = [
            workflow_id_of(operation_id, name, number)
            for operation_id, name, attempt in old
            for number in range(1, attempt + 1)
        ]
        await self.durable.delete(workflows)
        await self.store.delete({operation_id for operation_id, _, _ in old})
        return True

    async def _journal(self) -> int:
        moment = self.clock.now() - timedelta(seconds=self.settings.keep_journal)
        return await Journal(self.store.database).forget(moment, ROWS)

    async def _audit(self) -> int:
        moment = self.clock.now() - timedelta(seconds=self.settings.keep_audit)
        async with self.store.database.write() as connection:
            return await audit.forget(connection, moment, ROWS)
