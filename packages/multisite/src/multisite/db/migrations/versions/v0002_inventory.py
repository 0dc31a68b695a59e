"""The inventory: items, their addresses, grants, how far each kind was read; names of projects."""

import sqlalchemy as sa
from alembic import op

from multisite.db.tables import UtcDateTime

revision = "0002"
down_revision = "0001"

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "inventory_projects",
        sa.Column("keystone", sa.String(length=255), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("domain_name", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("keystone", "project_id", name="pk_inventory_projects"),
    )
    op.create_index("ix_inventory_projects_by_name", "inventory_projects", ["name", "domain_name"])
    op.create_table(
        "inventory_addresses",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("id", ORDERED, nullable=False),
        sa.Column("address", ORDERED, nullable=False),
        sa.Column("packed", ORDERED, nullable=False),
        sa.Column("port_id", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_inventory_addresses_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", "kind", "id", "address", name="pk_inventory_addresses"),
    )
    op.create_index("ix_inventory_addresses_by_address", "inventory_addresses", ["address"])
    op.create_index("ix_inventory_addresses_by_packed", "inventory_addresses", ["packed"])
    op.create_index("ix_inventory_addresses_by_port", "inventory_addresses", ["port_id"])
    op.create_table(
        "inventory_grants",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("id", ORDERED, nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_inventory_grants_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", "kind", "id", "project_id", name="pk_inventory_grants"),
    )
    op.create_index("ix_inventory_grants_by_project", "inventory_grants", ["project_id"])
    op.create_table(
        "inventory_items",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("id", ORDERED, nullable=False),
        sa.Column("region", ORDERED, nullable=False),
        sa.Column("folded_name", ORDERED, nullable=False),
        sa.Column("status", ORDERED, nullable=False),
        sa.Column("project_id", ORDERED, nullable=False),
        sa.Column("project_name", ORDERED, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("parent_id", sa.String(length=255), nullable=True),
        sa.Column("device_id", sa.String(length=255), nullable=True),
        sa.Column("user_id", sa.String(length=255), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("addresses", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("attributes", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_inventory_items_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", "kind", "id", name="pk_inventory_items"),
    )
    op.create_index(
        "ix_inventory_items_by_created_at", "inventory_items", ["kind", "created_at", "region", "id"]
    )
    op.create_index("ix_inventory_items_by_device", "inventory_items", ["device_id"])
    op.create_index("ix_inventory_items_by_id", "inventory_items", ["id"])
    op.create_index("ix_inventory_items_by_name", "inventory_items", ["kind", "folded_name", "region", "id"])
    op.create_index("ix_inventory_items_by_parent", "inventory_items", ["parent_id"])
    op.create_index(
        "ix_inventory_items_by_project",
        "inventory_items",
        ["project_id", "kind", "folded_name", "region", "id"],
    )
    op.create_index(
        "ix_inventory_items_by_project_name", "inventory_items", ["kind", "project_name", "region", "id"]
    )
    op.create_index("ix_inventory_items_by_region", "inventory_items", ["kind", "region", "id"])
    op.create_index("ix_inventory_items_by_status", "inventory_items", ["kind", "status", "region", "id"])
    op.create_index(
        "ix_inventory_items_by_updated_at", "inventory_items", ["kind", "updated_at", "region", "id"]
    )
    op.create_table(
        "inventory_keystones",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("keystone", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_inventory_keystones_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", name="pk_inventory_keystones"),
    )
    op.create_index("ix_inventory_keystones_keystone", "inventory_keystones", ["keystone"])
    op.create_table(
        "inventory_syncs",
        sa.Column("region_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("observed_at", UtcDateTime(), nullable=True),
        sa.Column("full_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("malformed", sa.Integer(), nullable=False),
        sa.Column("since", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name="fk_inventory_syncs_region_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", "kind", name="pk_inventory_syncs"),
    )
