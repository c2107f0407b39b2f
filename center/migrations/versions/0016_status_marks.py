"""The newest status of each outbox of a box, so that an older one says nothing."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "status_mark",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("has_ended", sa.Boolean(), nullable=False),
        sa.Column("may_repeat", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "device"], ["device.tenant", "device.id"], name=op.f("fk_status_mark_tenant_device_device")
        ),
        sa.PrimaryKeyConstraint("tenant", "device", "epoch", name=op.f("pk_status_mark")),
    )
    op.drop_column("device", "status_sha256")


def downgrade() -> None:
    op.add_column("device", sa.Column("status_sha256", sa.Text(), nullable=False, server_default=""))
    op.drop_table("status_mark")
