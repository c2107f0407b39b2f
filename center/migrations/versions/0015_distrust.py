"""Records that leads rest on and that are trusted no more; the newest status of each journal of a box."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from traceability.append_only import statements

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "distrusted_record",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("lead_id", sa.String(length=128), nullable=False),
        sa.Column("record_sha256", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "lead_id", "record_sha256", name=op.f("pk_distrusted_record")),
    )
    for statement in statements("distrusted_record", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("distrusted_record")
