"""Boxes, their journals, evidence, quarantine, accounts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from traceability.append_only import statements

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_account")),
    )
    op.create_table(
        "device",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enrolment", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_counter", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("pending_records", sa.Integer(), nullable=False),
        sa.Column("pending_uploads", sa.Integer(), nullable=False),
        sa.Column("quarantined_records", sa.Integer(), nullable=False),
        sa.Column("rejected_downlinks", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("status_sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_device")),
    )
    op.create_table(
        "enrolment_code",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("code_id", sa.Text(), nullable=False),
        sa.Column("check_key", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("enrolment", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "code_id", name=op.f("pk_enrolment_code")),
    )
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
    op.create_index(op.f("ix_evidence_view_sha256"), "evidence_view", ["sha256"], unique=False)
    op.create_index(op.f("ix_evidence_view_user_id"), "evidence_view", ["user_id"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("authentic", sa.Boolean(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_quarantine")),
    )
    op.create_index(op.f("ix_quarantine_device"), "quarantine", ["device"], unique=False)
    op.create_index(op.f("ix_quarantine_last_at"), "quarantine", ["last_at"], unique=False)
    op.create_index(op.f("ix_quarantine_reason"), "quarantine", ["reason"], unique=False)
    op.create_index(op.f("ix_quarantine_sha256"), "quarantine", ["sha256"], unique=False)
    op.create_table(
        "announced_file",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("derived_from", sa.Text(), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "device"], ["device.tenant", "device.id"], name=op.f("fk_announced_file_tenant_device_device")
        ),
        sa.PrimaryKeyConstraint("tenant", "device", "incident", "sha256", name=op.f("pk_announced_file")),
    )
    op.create_index(op.f("ix_announced_file_sha256"), "announced_file", ["sha256"], unique=False)
    op.create_table(
        "device_key",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("verify_key", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "device"], ["device.tenant", "device.id"], name=op.f("fk_device_key_tenant_device_device")
        ),
        sa.PrimaryKeyConstraint("tenant", "key_id", name=op.f("pk_device_key")),
    )
    op.create_index(op.f("ix_device_key_device"), "device_key", ["device"], unique=False)
    op.create_table(
        "epoch",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("cumulative", sa.Integer(), nullable=False),
        sa.Column("highest", sa.Integer(), nullable=False),
        sa.Column("forks", sa.Integer(), nullable=False),
        sa.Column("breaks", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "device"], ["device.tenant", "device.id"], name=op.f("fk_epoch_tenant_device_device")
        ),
        sa.PrimaryKeyConstraint("tenant", "device", "epoch", name=op.f("pk_epoch")),
    )
    op.create_table(
        "journal",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("prevhash", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("fork", sa.Boolean(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "device"], ["device.tenant", "device.id"], name=op.f("fk_journal_tenant_device_device")
        ),
        sa.PrimaryKeyConstraint("tenant", "device", "epoch", "sequence", "sha256", name=op.f("pk_journal")),
    )
    op.create_index(
        "ix_journal_quarantined",
        "journal",
        ["tenant", "device", "epoch", "sequence"],
        unique=False,
        sqlite_where=sa.text("disposition = 'quarantined'"),
        postgresql_where=sa.text("disposition = 'quarantined'"),
    )
    op.create_index(op.f("ix_journal_received_at"), "journal", ["received_at"], unique=False)
    op.create_table(
        "sign_in",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "user_id"],
            ["account.tenant", "account.id"],
            name=op.f("fk_sign_in_tenant_user_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant", "token_sha256", name=op.f("pk_sign_in")),
    )
    op.create_index(op.f("ix_sign_in_expires_at"), "sign_in", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sign_in_user_id"), "sign_in", ["user_id"], unique=False)
    for table in (
        "evidence_view",
        "journal",
    ):
        for statement in statements(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_sign_in_user_id"), table_name="sign_in")
    op.drop_index(op.f("ix_sign_in_expires_at"), table_name="sign_in")
    op.drop_table("sign_in")
    op.drop_index(op.f("ix_journal_received_at"), table_name="journal")
    op.drop_index(
        "ix_journal_quarantined",
        table_name="journal",
        sqlite_where=sa.text("disposition = 'quarantined'"),
        postgresql_where=sa.text("disposition = 'quarantined'"),
    )
    op.drop_table("journal")
    op.drop_table("epoch")
    op.drop_index(op.f("ix_device_key_device"), table_name="device_key")
    op.drop_table("device_key")
    op.drop_index(op.f("ix_announced_file_sha256"), table_name="announced_file")
    op.drop_table("announced_file")
    op.drop_index(op.f("ix_quarantine_sha256"), table_name="quarantine")
    op.drop_index(op.f("ix_quarantine_reason"), table_name="quarantine")
    op.drop_index(op.f("ix_quarantine_last_at"), table_name="quarantine")
    op.drop_index(op.f("ix_quarantine_device"), table_name="quarantine")
    op.drop_table("quarantine")
    op.drop_index(op.f("ix_evidence_view_user_id"), table_name="evidence_view")
    op.drop_index(op.f("ix_evidence_view_sha256"), table_name="evidence_view")
    op.drop_table("evidence_view")
    op.drop_table("enrolment_code")
    op.drop_table("device")
    op.drop_table("account")
