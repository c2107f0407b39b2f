"""Keys over time: why one ended, how far it reaches in each journal; what waits in quarantine for a key."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "key_reach",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "key_id"],
            ["device_key.tenant", "device_key.key_id"],
            name=op.f("fk_key_reach_tenant_key_id_device_key"),
        ),
        sa.PrimaryKeyConstraint("tenant", "key_id", "epoch", name=op.f("pk_key_reach")),
    )
    op.add_column("device_key", sa.Column("ending", sa.Text(), nullable=False, server_default=""))
    op.add_column("device_key", sa.Column("rotation_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("quarantine", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE device_key SET ending = 'replaced' WHERE retired_at IS NOT NULL")
    op.execute(
        "INSERT INTO key_reach (tenant, key_id, epoch, first, last)"
        " SELECT journal.tenant, journal.key_id, epoch, 1, max(sequence) FROM journal"
        " JOIN device_key ON device_key.tenant = journal.tenant AND device_key.key_id = journal.key_id"
        " WHERE device_key.retired_at IS NOT NULL GROUP BY journal.tenant, journal.key_id, epoch"
    )


def downgrade() -> None:
    op.drop_column("quarantine", "settled_at")
    op.drop_column("device_key", "rotation_asked_at")
    op.drop_column("device_key", "ending")
    op.drop_table("key_reach")
