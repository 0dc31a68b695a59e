"""The tables of quotas (design record 0008), in the same metadata as all others."""

import sqlalchemy as sa

from multisite.db.tables import UtcDateTime, metadata

_JSON = sa.JSON(none_as_null=True)
_RESOURCE = sa.String(320)


def _project(name: str = "project_id") -> sa.Column[str]:
    return sa.Column(name, sa.String(64), primary_key=True)


def _region() -> sa.Column[int]:
    return sa.Column(
        "region_id", sa.ForeignKey("regions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


quota_projects = sa.Table(
    "quota_projects",
    metadata,
    _project(),
    sa.Column("name", sa.String(255)),
    sa.Column("domain_id", sa.String(64), index=True),
    sa.Column("domain_name", sa.String(255)),
    sa.Column("parents", _JSON, nullable=False),
    sa.Column("class_name", sa.String(64), index=True),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("holder", sa.String(128)),
    sa.Column("due_at", UtcDateTime, nullable=False, index=True),
    # Until then the next round is that of an operation, so that it tells what was written for it.
    sa.Column("handed_until", UtcDateTime),
    sa.Column("balanced_at", UtcDateTime),
    sa.Column("asked_at", UtcDateTime),
    sa.Column("asked_regions", _JSON, nullable=False),
    sa.Column("standing", _JSON),
    sa.Column("pressure", sa.Float, nullable=False, server_default="0"),
)

quota_limits = sa.Table(
    "quota_limits",
    metadata,
    _project(),
    sa.Column("resource", _RESOURCE, primary_key=True),
    sa.Column("limit", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("burst", sa.BigInteger),
    sa.Column("releasing", sa.Boolean, nullable=False),
)

quota_raises = sa.Table(
    "quota_raises",
    metadata,
    _project(),
    sa.Column("resource", _RESOURCE, primary_key=True),
    sa.Column("limit", sa.BigInteger, nullable=False),
    sa.Column("ends_at", UtcDateTime, nullable=False, index=True),
)

quota_classes = sa.Table(
    "quota_classes",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("resource", _RESOURCE, primary_key=True),
    sa.Column("limit", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("burst", sa.BigInteger),
)

quota_bounds = sa.Table(
    "quota_bounds",
    metadata,
    _project(),
    _region(),
    sa.Column("resource", _RESOURCE, primary_key=True),
    sa.Column("minimum", sa.BigInteger, nullable=False),
    sa.Column("maximum", sa.BigInteger),
    sa.Column("weight", sa.Integer, nullable=False),
)

quota_caps = sa.Table(
    "quota_caps",
    metadata,
    sa.Column("scope", sa.String(8), primary_key=True),
    sa.Column("scope_id", sa.String(64), primary_key=True),
    sa.Column("resource", _RESOURCE, primary_key=True),
    sa.Column("limit", sa.BigInteger, nullable=False),
)

quota_shares = sa.Table(
    "quota_shares",
    metadata,
    _project(),
    _region(),
    sa.Column("service", sa.String(64), primary_key=True),
    sa.Column("backend", sa.String(8), nullable=False),
    sa.Column("local_id", sa.String(64)),
    sa.Column("found", sa.Boolean, nullable=False),
    sa.Column("usable", sa.Boolean, nullable=False),
    sa.Column("observed_at", UtcDateTime),
    sa.Column("failed_at", UtcDateTime),
    sa.Column("error_code", sa.String(64)),
    sa.Column("error_detail", sa.Text),
    sa.Column("document", _JSON, nullable=False),
)

quota_backends = sa.Table(
    "quota_backends",
    metadata,
    _region(),
    sa.Column("service", sa.String(64), primary_key=True),
    sa.Column("backend", sa.String(8), nullable=False),
)

quota_events = sa.Table(
    "quota_events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("project_id", sa.String(64), nullable=False, index=True),
    sa.Column("resource", _RESOURCE),
    sa.Column("region", sa.String(255)),
    sa.Column("figures", _JSON, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    # Set until the event was handed to the webhooks (quotas/delivery).
    sa.Column("deliver_at", UtcDateTime, index=True),
    sqlite_autoincrement=True,  # receivers know events by their ids: none may come twice
)

quota_deliveries = sa.Table(
    "quota_deliveries",
    metadata,
    sa.Column("endpoint", sa.String(32), primary_key=True),
    sa.Column(
        "event_id",
        sa.ForeignKey("quota_events.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    sa.Column("project_id", sa.String(64), nullable=False),
    sa.Column("deliver_at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Index("ix_quota_deliveries_due", "endpoint", "deliver_at"),
    sa.Index("ix_quota_deliveries_order", "endpoint", "project_id", "event_id"),
)

quota_history = sa.Table(
    "quota_history",
    metadata,
    _project(),
    sa.Column("at", UtcDateTime, primary_key=True),
    sa.Column("hourly", sa.Boolean, nullable=False),
    sa.Column("figures", _JSON, nullable=False),
    sa.Index("ix_quota_history_by_age", "hourly", "at"),
)

quota_requests = sa.Table(
    "quota_requests",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("project_id", sa.String(64), nullable=False, index=True),
    sa.Column("project_name", sa.String(255)),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("user_name", sa.String(255), nullable=False),
    sa.Column("limits", _JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    # While it is open: which of the open ones of its project it is, from 1. Bounds their number.
    sa.Column("place", sa.Integer),
    sa.Column("decided_at", UtcDateTime),
    sa.Column("decided_by", sa.String(255)),
    sa.Column("answer", sa.Text),
    sa.Column("granted", _JSON),
    sa.Column("operation_id", sa.String(36)),
    sa.UniqueConstraint("project_id", "place", name="uq_quota_requests_place"),
)
