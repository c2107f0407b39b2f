"""Beside an announced clip why it shows less than it was to, as the box said."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("announced_file", sa.Column("falls_short", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("announced_file", "falls_short")
