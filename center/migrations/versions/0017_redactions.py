"""Redacted copies of pictures, what was said of them, and what an act of custody made."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from traceability.append_only import statements

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("custody_event", sa.Column("made_sha256", sa.String(length=64), server_default="", nullable=False))
    op.create_table(
        "redacted_copy",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("lead_id", sa.String(length=128), nullable=False),
        sa.Column("original_sha256", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=128), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "lead_id"], ["lead.tenant", "lead.id"], name=op.f("fk_redacted_copy_tenant_lead_id_lead")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_redacted_copy")),
    )
    op.create_index(op.f("ix_redacted_copy_tenant_original_sha256"), "redacted_copy", ["tenant", "original_sha256"])
    op.create_index(op.f("ix_redacted_copy_tenant_lead_id"), "redacted_copy", ["tenant", "lead_id"])
    op.create_table(
        "redacted_copy_word",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.String(length=128), nullable=False),
        sa.Column("word", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_user", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "sha256", "number", name=op.f("pk_redacted_copy_word")),
    )
    for table in ("redacted_copy", "redacted_copy_word"):
        for statement in statements(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("redacted_copy_word")
    op.drop_table("redacted_copy")
    op.drop_column("custody_event", "made_sha256")
