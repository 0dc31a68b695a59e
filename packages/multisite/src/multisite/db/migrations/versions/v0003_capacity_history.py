"""How capacity was: per region, and in total."""

import sqlalchemy as sa
from alembic import op

from multisite.db.tables import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "capacity_history",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("hourly", sa.Boolean(), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_capacity_history_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", "at", name="pk_capacity_history"),
    )
    op.create_index("ix_capacity_history_by_time", "capacity_history", ["hourly", "at"])
    op.create_table(
        "capacity_history_totals",
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("hourly", sa.Boolean(), nullable=False),
        sa.Column("regions", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("at", name="pk_capacity_history_totals"),
    )
