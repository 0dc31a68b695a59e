"""What actions saw of items while reads were under way."""

import sqlalchemy as sa
from alembic import op

from multisite.db.tables import UtcDateTime

_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "inventory_read_backs",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("id", _ORDERED, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_inventory_read_backs_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", "kind", "id", name="pk_inventory_read_backs"),
    )
