"""Until when the next round of a quota is an operation's."""

import sqlalchemy as sa
from alembic import op

from multisite.db.tables import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column."""
    op.add_column("quota_projects", sa.Column("handed_until", UtcDateTime()))
