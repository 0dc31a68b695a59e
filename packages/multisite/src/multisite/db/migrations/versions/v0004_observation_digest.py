"""A digest of each observation, so that one that is read again and again is written once."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column."""
    op.add_column("observations", sa.Column("digest", sa.String(length=32), nullable=True))
