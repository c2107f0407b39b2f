"""Beside a lead's times what the box wrote, where the centre had to put its own in their place."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("lead", sa.Column("box_opened_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("lead", sa.Column("box_observed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("lead", "box_observed_at")
    op.drop_column("lead", "box_opened_at")
