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
    sa.Column("digest", sa.String(32)),
)

capacity_history = sa.Table(
    "capacity_history",
    metadata,
    _region(),
    sa.Column("at", UtcDateTime, primary_key=True),
    sa.Column("hourly", sa.Boolean, nullable=False),
    sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
    sa.Index("ix_capacity_history_by_time", "hourly", "at"),
)

capacity_history_totals = sa.Table(
    "capacity_history_totals",
    metadata,
    sa.Column("at", UtcDateTime, primary_key=True),
    sa.Column("hourly", sa.Boolean, nullable=False),
    sa.Column("regions", sa.Integer, nullable=False),
    sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
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

#: Text that is compared and ordered by code points on every database, as Python does.
_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SMALL_JSON = sa.JSON(none_as_null=True)


def _item_key() -> list[sa.Column[Any]]:
    return [
        _region(),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("id", _ORDERED, primary_key=True),
    ]


inventory_items = sa.Table(
    "inventory_items",
    metadata,
    *_item_key(),
    sa.Column("region", _ORDERED, nullable=False),
    sa.Column("folded_name", _ORDERED, nullable=False),
    sa.Column("status", _ORDERED, nullable=False),
    sa.Column("project_id", _ORDERED, nullable=False),
    sa.Column("project_name", _ORDERED, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("parent_id", sa.String(255)),
    sa.Column("device_id", sa.String(255)),
    sa.Column("user_id", sa.String(255)),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(32), nullable=False),
    sa.Column("addresses", _SMALL_JSON),
    sa.Column("attributes", _SMALL_JSON, nullable=False),
    sa.Column("observed_at", UtcDateTime),
    sa.Index("ix_inventory_items_by_name", "kind", "folded_name", "region", "id"),
    sa.Index("ix_inventory_items_by_region", "kind", "region", "id"),
    sa.Index("ix_inventory_items_by_status", "kind", "status", "region", "id"),
    sa.Index("ix_inventory_items_by_project_name", "kind", "project_name", "region", "id"),
    sa.Index("ix_inventory_items_by_project", "project_id", "kind", "folded_name", "region", "id"),
    sa.Index("ix_inventory_items_by_created_at", "kind", "created_at", "region", "id"),
    sa.Index("ix_inventory_items_by_updated_at", "kind", "updated_at", "region", "id"),
    # Ports are looked up by id, and by the server that they are for, without fetching their rows.
    sa.Index("ix_inventory_items_by_id", "id", "kind", "region_id", "device_id"),
    sa.Index("ix_inventory_items_by_parent", "parent_id"),
    sa.Index("ix_inventory_items_by_device", "device_id", "region_id", "id"),
)

inventory_addresses = sa.Table(
    "inventory_addresses",
    metadata,
    *_item_key(),
    sa.Column("address", _ORDERED, primary_key=True),
    sa.Column("packed", _ORDERED, nullable=False),
    sa.Column("port_id", sa.String(255)),
    sa.Index("ix_inventory_addresses_by_address", "address"),
    sa.Index("ix_inventory_addresses_by_value", "kind", "packed", "region_id", "id", "port_id"),
    sa.Index("ix_inventory_addresses_by_port", "port_id"),
)

inventory_grants = sa.Table(
    "inventory_grants",
    metadata,
    *_item_key(),
    sa.Column("project_id", sa.String(64), primary_key=True),
    sa.Index("ix_inventory_grants_by_project", "project_id"),
)

#: When actions saw items, or their ends: reads that began before do not speak of them. A row goes with the
#: first read that began after it.
inventory_read_backs = sa.Table(
    "inventory_read_backs", metadata, *_item_key(), sa.Column("at", UtcDateTime, nullable=False)
)

inventory_syncs = sa.Table(
    "inventory_syncs",
    metadata,
    _region(),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("observed_at", UtcDateTime),
    sa.Column("full_at", UtcDateTime),
    sa.Column("failed_at", UtcDateTime),
    sa.Column("error_code", sa.String(64)),
    sa.Column("error_detail", sa.Text),
    sa.Column("malformed", sa.Integer, nullable=False),
    sa.Column("since", sa.String(64)),
    sa.Index("ix_inventory_syncs_by_time", "kind", "observed_at", "error_code"),
)

inventory_keystones = sa.Table(
    "inventory_keystones",
    metadata,
    _region(),
    sa.Column("keystone", sa.String(255), nullable=False, index=True),
)

inventory_projects = sa.Table(
    "inventory_projects",
    metadata,
    sa.Column("keystone", sa.String(255), primary_key=True),
    sa.Column("project_id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("domain_name", sa.String(255), nullable=False),
    sa.Index("ix_inventory_projects_by_name", "name", "domain_name"),
)

saved_filters = sa.Table(
    "saved_filters",
    metadata,
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("saved_at", UtcDateTime, nullable=False),
)

operations = sa.Table(
    "operations",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("arguments", _SMALL_JSON, nullable=False),
    sa.Column("project_id", sa.String(64)),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("user_name", sa.String(255), nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("cancel_requested_at", UtcDateTime),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Index("ix_operations_by_time", "created_at", "id"),
    sa.Index("ix_operations_by_project", "project_id", "created_at", "id"),
    sa.Index("ix_operations_by_state", "state", "finished_at"),
)

operation_parts = sa.Table(
    "operation_parts",
    metadata,
    sa.Column("operation_id", sa.ForeignKey("operations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", _ORDERED, primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("percent", sa.Integer, nullable=False),
    sa.Column("step", sa.String(255)),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error_code", sa.String(64)),
    sa.Column("error_detail", sa.Text),
    sa.Column("error_request_id", sa.String(64)),
    sa.Column("undo_from", sa.Integer),
    _json("memory"),
    _json("result"),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
)

region_writes = sa.Table(
    "region_writes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("region", sa.String(255), nullable=False),
    sa.Column("service", sa.String(64), nullable=False),
    sa.Column("method", sa.String(16), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    _json("before"),
    _json("after"),
    sa.Column("project_id", sa.String(64)),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("user_name", sa.String(255), nullable=False),
    sa.Column("operation_id", sa.String(36), index=True),
    sa.Column("step", sa.String(255)),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("region_request_id", sa.String(64)),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("detail", sa.Text),
)

executors = sa.Table(
    "executors",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("incarnation", sa.Integer, nullable=False),
    sa.Column("beat", sa.BigInteger, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("beat_at", UtcDateTime, nullable=False),
)

sweep_leases = sa.Table(
    "sweep_leases",
    metadata,
    _region(),
    sa.Column("executor", sa.String(128), nullable=False, index=True),
)

schedule_ticks = sa.Table(
    "schedule_ticks",
    metadata,
    sa.Column("schedule", sa.String(64), primary_key=True),
    sa.Column("tick", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("executor", sa.String(128), nullable=False),
    sa.Column("operation_id", sa.String(36)),
)
