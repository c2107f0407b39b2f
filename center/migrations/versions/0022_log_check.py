"""What the centre found when it recomputed its own log."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from traceability.append_only import statements

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "log_check",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leaves", sa.BigInteger(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("stamps", sa.Integer(), nullable=False),
        sa.Column("trouble_count", sa.Integer(), nullable=False),
        sa.Column("troubles", sa.JSON(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "at", name=op.f("pk_log_check")),
    )
    for statement in statements("log_check", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("log_check")
