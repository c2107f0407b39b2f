"""Files of evidence have a term, and a lead can be under legal hold."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from traceability.append_only import statements

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("announced_file") as table:
        table.add_column(sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("deleted_rule", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "hold_event",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("lead_id", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_user", sa.String(length=64), nullable=False),
        sa.Column("by_role", sa.String(length=16), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "lead_id"], ["lead.tenant", "lead.id"], name=op.f("fk_hold_event_tenant_lead_id_lead")
        ),
        sa.PrimaryKeyConstraint("tenant", "lead_id", "number", name=op.f("pk_hold_event")),
    )
    op.create_table(
        "evidence_deletion",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_user", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_evidence_deletion")),
    )
    op.create_index(op.f("ix_evidence_deletion_sha256"), "evidence_deletion", ["sha256"], unique=False)
    op.create_table(
        "evidence_removal",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "sha256", name=op.f("pk_evidence_removal")),
    )
    for table_name in ("hold_event", "evidence_deletion"):
        for statement in statements(table_name, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("evidence_removal")
    op.drop_index(op.f("ix_evidence_deletion_sha256"), table_name="evidence_deletion")
    op.drop_table("evidence_deletion")
    op.drop_table("hold_event")
    with op.batch_alter_table("announced_file") as table:
        table.drop_column("deleted_rule")
        table.drop_column("deleted_at")
