"""Quotas over regions: what is decided, what is written in each region, events, requests."""

import sqlalchemy as sa
from alembic import op

from multisite.db.tables import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    _projects()
    _limits()
    _raises()
    _classes()
    _bounds()
    _caps()
    _shares()
    _backends()
    _events()
    _deliveries()
    _history()
    _requests()


def _projects() -> None:
    op.create_table(
        "quota_projects",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=True),
        sa.Column("domain_id", sa.String(64), nullable=True),
        sa.Column("domain_name", sa.String(255), nullable=True),
        sa.Column("parents", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("class_name", sa.String(64), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(128), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("balanced_at", UtcDateTime(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("asked_regions", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("standing", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("pressure", sa.Float(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("project_id", name="pk_quota_projects"),
    )
    op.create_index("ix_quota_projects_class_name", "quota_projects", ["class_name"])
    op.create_index("ix_quota_projects_domain_id", "quota_projects", ["domain_id"])
    op.create_index("ix_quota_projects_due_at", "quota_projects", ["due_at"])


def _limits() -> None:
    op.create_table(
        "quota_limits",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(320), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("burst", sa.BigInteger(), nullable=True),
        sa.Column("releasing", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "resource", name="pk_quota_limits"),
    )


def _raises() -> None:
    op.create_table(
        "quota_raises",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(320), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "resource", name="pk_quota_raises"),
    )
    op.create_index("ix_quota_raises_ends_at", "quota_raises", ["ends_at"])


def _classes() -> None:
    op.create_table(
        "quota_classes",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(320), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("burst", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", "resource", name="pk_quota_classes"),
    )


def _bounds() -> None:
    op.create_table(
        "quota_bounds",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(320), nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=False),
        sa.Column("maximum", sa.BigInteger(), nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_quota_bounds_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "region_id", "resource", name="pk_quota_bounds"),
    )


def _caps() -> None:
    op.create_table(
        "quota_caps",
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("scope_id", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(320), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "scope_id", "resource", name="pk_quota_caps"),
    )


def _shares() -> None:
    op.create_table(
        "quota_shares",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("backend", sa.String(8), nullable=False),
        sa.Column("local_id", sa.String(64), nullable=True),
        sa.Column("found", sa.Boolean(), nullable=False),
        sa.Column("usable", sa.Boolean(), nullable=False),
        sa.Column("observed_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("error_code", sa.String(64), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_quota_shares_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "region_id", "service", name="pk_quota_shares"),
    )


def _backends() -> None:
    op.create_table(
        "quota_backends",
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("backend", sa.String(8), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_quota_backends_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", "service", name="pk_quota_backends"),
    )


def _events() -> None:
    op.create_table(
        "quota_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(320), nullable=True),
        sa.Column("region", sa.String(255), nullable=True),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("deliver_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quota_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_quota_events_at", "quota_events", ["at"])
    op.create_index("ix_quota_events_deliver_at", "quota_events", ["deliver_at"])
    op.create_index("ix_quota_events_project_id", "quota_events", ["project_id"])


def _deliveries() -> None:
    op.create_table(
        "quota_deliveries",
        sa.Column("endpoint", sa.String(32), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("deliver_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["quota_events.id"], name="fk_quota_deliveries_event_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("endpoint", "event_id", name="pk_quota_deliveries"),
    )
    op.create_index("ix_quota_deliveries_event_id", "quota_deliveries", ["event_id"])
    op.create_index("ix_quota_deliveries_due", "quota_deliveries", ["endpoint", "deliver_at"])
    op.create_index("ix_quota_deliveries_order", "quota_deliveries", ["endpoint", "project_id", "event_id"])


def _history() -> None:
    op.create_table(
        "quota_history",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("hourly", sa.Boolean(), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "at", name="pk_quota_history"),
    )
    op.create_index("ix_quota_history_by_age", "quota_history", ["hourly", "at"])


def _requests() -> None:
    op.create_table(
        "quota_requests",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("project_name", sa.String(255), nullable=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(255), nullable=False),
        sa.Column("limits", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(255), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("granted", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("operation_id", sa.String(36), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quota_requests"),
        sa.UniqueConstraint("project_id", "place", name="uq_quota_requests_place"),
    )
    op.create_index("ix_quota_requests_at", "quota_requests", ["at"])
    op.create_index("ix_quota_requests_project_id", "quota_requests", ["project_id"])
