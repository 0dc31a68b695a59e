"""Operations and their parts, the journal of writes to regions, executors, and who sweeps which region."""

import sqlalchemy as sa
from alembic import op

from multisite.db.tables import UtcDateTime

revision = "0006"
down_revision = "0005"

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    _operations()
    _writes()
    _executors()


def _operations() -> None:
    op.create_table(
        "operations",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("arguments", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(255), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("cancel_requested_at", UtcDateTime(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operations"),
    )
    op.create_index("ix_operations_by_time", "operations", ["created_at", "id"])
    op.create_index("ix_operations_by_project", "operations", ["project_id", "created_at", "id"])
    op.create_index("ix_operations_by_state", "operations", ["state", "finished_at"])
    op.create_table(
        "operation_parts",
        sa.Column("operation_id", sa.String(36), nullable=False),
        sa.Column("name", ORDERED, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(255), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(64), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("error_request_id", sa.String(64), nullable=True),
        sa.Column("undo_from", sa.Integer(), nullable=True),
        sa.Column("memory", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name="fk_operation_parts_operation_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("operation_id", "name", name="pk_operation_parts"),
    )


def _writes() -> None:
    op.create_table(
        "region_writes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("region", sa.String(255), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("project_id", sa.String(64), nullable=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(255), nullable=False),
        sa.Column("operation_id", sa.String(36), nullable=True),
        sa.Column("step", sa.String(255), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("region_request_id", sa.String(64), nullable=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_region_writes"),
    )
    op.create_index("ix_region_writes_at", "region_writes", ["at"])
    op.create_index("ix_region_writes_operation_id", "region_writes", ["operation_id"])


def _executors() -> None:
    op.create_table(
        "executors",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_executors"),
    )
    op.create_table(
        "sweep_leases",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("executor", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_sweep_leases_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", name="pk_sweep_leases"),
    )
    op.create_index("ix_sweep_leases_executor", "sweep_leases", ["executor"])
    op.create_table(
        "schedule_ticks",
        sa.Column("schedule", sa.String(64), nullable=False),
        sa.Column("tick", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("executor", sa.String(128), nullable=False),
        sa.Column("operation_id", sa.String(36), nullable=True),
        sa.PrimaryKeyConstraint("schedule", "tick", name="pk_schedule_ticks"),
    )
