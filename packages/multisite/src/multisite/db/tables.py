"""The tables, as SQLAlchemy Core sees them. Migrations make them; a test holds the two together."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware datetime in UTC, on databases with and without time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """To UTC; a naive datetime is a bug of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without time zone reached the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Aware again: SQLite drops the time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _region() -> sa.Column[int]:
    return sa.Column(
        "region_id", sa.ForeignKey("regions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(none_as_null=True))


regions = sa.Table(
    "regions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
    sa.Column("region_name", sa.String(255), nullable=False),
    sa.Column("credential", sa.String(255), nullable=False),
    sa.Column("interface", sa.String(16), nullable=False),
    sa.Column("identity", sa.String(16), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("maintenance_reason", sa.Text),
    sa.Column("maintenance_ends_at", UtcDateTime),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("dashboard_url", sa.Text),
    sa.Column("sweep_interval", sa.Integer),
    sa.Column("generation", sa.Integer, nullable=False),
)

services = sa.Table(
    "services",
    metadata,
    _region(),
    sa.Column("type", sa.String(64), primary_key=True),
    sa.Column("catalog_type", sa.String(64), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("version", sa.String(32)),
    sa.Column("min_microversion", sa.String(32)),
    sa.Column("max_microversion", sa.String(32)),
)

health = sa.Table(
    "health",
    metadata,
    _region(),
    sa.Column("service", sa.String(64), primary_key=True),
    sa.Column("success_at", UtcDateTime),
    sa.Column("failure_at", UtcDateTime),
    sa.Column("error_code", sa.String(64)),
    sa.Column("error_detail", sa.Text),
    sa.Column("latency", sa.Float),
    sa.Column("clock_skew", sa.Float),
    sa.Column("breaker", sa.String(16), nullable=False),
    sa.Column("token_failure", sa.Boolean, nullable=False),
)

observations = sa.Table(
    "observations",
    metadata,
    _region(),
    sa.Column("service", sa.String(64), primary_key=True),
    sa.Column("observed_at", UtcDateTime),
    sa.Column("failed_at", UtcDateTime),
    sa.Column("error_code", sa.String(64)),
    sa.Column("error_detail", sa.Text),
    _json("summary"),
    _json("detail"),
)

tracked_projects = sa.Table(
    "tracked_projects",
    metadata,
    sa.Column("project_id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255)),
    sa.Column("domain_name", sa.String(255)),
    sa.Column("asked_at", UtcDateTime, nullable=False),
)

project_usage = sa.Table(
    "project_usage",
    metadata,
    sa.Column("project_id", sa.String(64), primary_key=True),
    _region(),
    sa.Column("service", sa.String(64), primary_key=True),
    sa.Column("found", sa.Boolean, nullable=False),
    sa.Column("observed_at", UtcDateTime),
    sa.Column("failed_at", UtcDateTime),
    sa.Column("error_code", sa.String(64)),
    sa.Column("error_detail", sa.Text),
    _json("resources"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("holder", sa.String(128), nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

audit_records = sa.Table(
    "audit_records",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("user_name", sa.String(255), nullable=False),
    sa.Column("project_id", sa.String(64)),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("target", sa.String(255), nullable=False),
    _json("before"),
    _json("after"),
    sa.Column("request_id", sa.String(64), nullable=False),
)
