"""Indexes that have all that is asked of addresses, ports and reads; when an item was read by itself."""

import sqlalchemy as sa
from alembic import op

from multisite.db.tables import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Widen the indexes, and add the column."""
    op.add_column("inventory_items", sa.Column("observed_at", UtcDateTime(), nullable=True))
    _again("inventory_items", "ix_inventory_items_by_id", ["id", "kind", "region_id", "device_id"])
    _again("inventory_items", "ix_inventory_items_by_device", ["device_id", "region_id", "id"])
    op.drop_index("ix_inventory_addresses_by_packed", "inventory_addresses")
    op.create_index(
        "ix_inventory_addresses_by_value",
        "inventory_addresses",
        ["kind", "packed", "region_id", "id", "port_id"],
    )
    op.create_index("ix_inventory_syncs_by_time", "inventory_syncs", ["kind", "observed_at", "error_code"])


def _again(table: str, name: str, columns: list[str]) -> None:
    op.drop_index(name, table)
    op.create_index(name, table, columns)
