"""Certificates that boxes were given, so that they can be taken back."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "device_certificate",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "serial", name=op.f("pk_device_certificate")),
    )
    op.create_index(op.f("ix_device_certificate_device"), "device_certificate", ["device"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_device_certificate_device"), table_name="device_certificate")
    op.drop_table("device_certificate")
