"""The first schema: regions, services, health, observations, use, leases, audit."""

import sqlalchemy as sa
from alembic import op

from multisite.db.tables import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audit_records",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("user_name", sa.String(length=255), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_records"),
    )
    op.create_index("ix_audit_records_at", "audit_records", ["at"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "regions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("region_name", sa.String(length=255), nullable=False),
        sa.Column("credential", sa.String(length=255), nullable=False),
        sa.Column("interface", sa.String(length=16), nullable=False),
        sa.Column("identity", sa.String(length=16), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("maintenance_reason", sa.Text(), nullable=True),
        sa.Column("maintenance_ends_at", UtcDateTime(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("dashboard_url", sa.Text(), nullable=True),
        sa.Column("sweep_interval", sa.Integer(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_regions"),
        sa.UniqueConstraint("name", name="uq_regions_name"),
    )
    op.create_table(
        "tracked_projects",
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("domain_name", sa.String(length=255), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name="pk_tracked_projects"),
    )
    op.create_table(
        "health",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("success_at", UtcDateTime(), nullable=True),
        sa.Column("failure_at", UtcDateTime(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("latency", sa.Float(), nullable=True),
        sa.Column("clock_skew", sa.Float(), nullable=True),
        sa.Column("breaker", sa.String(length=16), nullable=False),
        sa.Column("token_failure", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_health_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", "service", name="pk_health"),
    )
    op.create_table(
        "observations",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("observed_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("summary", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_observations_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", "service", name="pk_observations"),
    )
    op.create_table(
        "project_usage",
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("found", sa.Boolean(), nullable=False),
        sa.Column("observed_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("resources", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_project_usage_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "region_id", "service", name="pk_project_usage"),
    )
    op.create_table(
        "services",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("catalog_type", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=True),
        sa.Column("min_microversion", sa.String(length=32), nullable=True),
        sa.Column("max_microversion", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_services_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", "type", name="pk_services"),
    )
