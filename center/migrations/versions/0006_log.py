"""The centre's log, and the chain of custody in place of the register of views."""

import secrets
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from traceability.append_only import ERASABLE, statements

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "custody_event",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("lead_id", sa.String(length=128), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_custody_event")),
    )
    op.create_index(op.f("ix_custody_event_tenant_lead_id"), "custody_event", ["tenant", "lead_id"], unique=False)
    op.create_index(op.f("ix_custody_event_tenant_person"), "custody_event", ["tenant", "person"], unique=False)
    op.create_index(
        op.f("ix_custody_event_tenant_sha256_at"), "custody_event", ["tenant", "sha256", "at"], unique=False
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "size", name=op.f("pk_log_checkpoint")),
    )
    op.create_index(op.f("ix_log_checkpoint_published_at"), "log_checkpoint", ["published_at"], unique=False)
    op.create_table(
        "log_head",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_log_head")),
    )
    op.create_table(
        "log_leaf",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name=op.f("pk_log_leaf")),
    )
    op.create_index(op.f("ix_log_leaf_tenant_at"), "log_leaf", ["tenant", "at"], unique=False)
    op.create_index(op.f("ix_log_leaf_tenant_hash"), "log_leaf", ["tenant", "hash"], unique=False)
    op.create_table(
        "log_node",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "level", "position", name=op.f("pk_log_node")),
    )
    op.create_table(
        "log_opening",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name=op.f("pk_log_opening")),
    )
    op.create_index(
        op.f("ix_log_opening_tenant_kind_reference"), "log_opening", ["tenant", "kind", "reference"], unique=False
    )
    op.create_index(op.f("ix_log_opening_tenant_person"), "log_opening", ["tenant", "person"], unique=False)
    op.create_table(
        "log_timestamp",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "size", "stamped_at", name=op.f("pk_log_timestamp")),
    )
    op.create_table(
        "pseudonym",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("pseudonym", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "subject", name=op.f("pk_pseudonym")),
        sa.UniqueConstraint("tenant", "pseudonym", name=op.f("uq_pseudonym_tenant_pseudonym")),
    )
    _move_views()
    op.drop_index(op.f("ix_evidence_view_sha256"), table_name="evidence_view")
    op.drop_index(op.f("ix_evidence_view_user_id"), table_name="evidence_view")
    op.drop_table("evidence_view")
    dialect = op.get_bind().dialect.name
    for table in ("log_leaf", "log_node", "log_checkpoint", "log_timestamp"):
        for statement in statements(table, dialect):
            op.execute(statement)
    for table in ("log_opening", "custody_event"):
        for statement in statements(table, dialect, ERASABLE):
            op.execute(statement)


def _move_views() -> None:
    """Every view that was registered is an act of custody, of a person under a pseudonym."""
    connection = op.get_bind()
    people = connection.execute(sa.text("SELECT DISTINCT tenant, user_id FROM evidence_view")).all()
    for tenant, person in people:
        connection.execute(
            sa.text(
                "INSERT INTO pseudonym (tenant, kind, subject, pseudonym) VALUES (:tenant, 'person', :person, :own)"
            ),
            {"tenant": tenant, "person": person, "own": f"p-{secrets.token_hex(8)}"},
        )
    op.execute(
        "INSERT INTO custody_event (tenant, id, act, sha256, lead_id, person, reason, at)"
        " SELECT seen.tenant, seen.id, 'viewed', seen.sha256, '', who.pseudonym, seen.reason, seen.viewed_at"
        " FROM evidence_view AS seen JOIN pseudonym AS who"
        " ON who.tenant = seen.tenant AND who.kind = 'person' AND who.subject = seen.user_id"
    )


def downgrade() -> None:

    op.create_table(
        "evidence_view",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_evidence_view")),
    )
    op.create_index(op.f("ix_evidence_view_user_id"), "evidence_view", ["user_id"], unique=False)
    op.create_index(op.f("ix_evidence_view_sha256"), "evidence_view", ["sha256"], unique=False)
    op.drop_table("pseudonym")
    op.drop_table("log_timestamp")
    op.drop_index(op.f("ix_log_opening_tenant_person"), table_name="log_opening")
    op.drop_index(op.f("ix_log_opening_tenant_kind_reference"), table_name="log_opening")
    op.drop_table("log_opening")
    op.drop_table("log_node")
    op.drop_index(op.f("ix_log_leaf_tenant_hash"), table_name="log_leaf")
    op.drop_index(op.f("ix_log_leaf_tenant_at"), table_name="log_leaf")
    op.drop_table("log_leaf")
    op.drop_table("log_head")
    op.drop_index(op.f("ix_log_checkpoint_published_at"), table_name="log_checkpoint")
    op.drop_table("log_checkpoint")
    op.drop_index(op.f("ix_custody_event_tenant_sha256_at"), table_name="custody_event")
    op.drop_index(op.f("ix_custody_event_tenant_person"), table_name="custody_event")
    op.drop_index(op.f("ix_custody_event_tenant_lead_id"), table_name="custody_event")
    op.drop_table("custody_event")
    for statement in statements("evidence_view", op.get_bind().dialect.name):
        op.execute(statement)
