"""Records that boxes gave up: where in their journals, and why."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from traceability.append_only import statements

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "journal_gone",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("told_by", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "device"], ["device.tenant", "device.id"], name=op.f("fk_journal_gone_tenant_device_device")
        ),
        sa.PrimaryKeyConstraint("tenant", "device", "epoch", "first", "last", "told_by", name=op.f("pk_journal_gone")),
    )
    for statement in statements("journal_gone", op.get_bind().dialect.name):
        op.execute(statement)
    op.add_column("device", sa.Column("discarded_records", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("device", "discarded_records")
    op.drop_table("journal_gone")
