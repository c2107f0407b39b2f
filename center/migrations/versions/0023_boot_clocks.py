"""How the time of a lead was found, and what is known of the boots of boxes that have no time server."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("lead", sa.Column("time_source", sa.String(length=16), server_default="box", nullable=False))
    op.add_column("lead", sa.Column("boot", sa.String(length=64), server_default="", nullable=False))
    op.add_column("lead", sa.Column("boot_ms", sa.BigInteger(), server_default="0", nullable=False))
    lead = sa.table("lead", sa.column("time_source"), sa.column("clock"), sa.column("box_observed_at"))
    is_lost = sa.or_(lead.c.clock == "unsynchronised", lead.c.box_observed_at.is_not(None))
    op.execute(sa.update(lead).where(is_lost).values(time_source="arrival"))
    op.create_table(
        "boot_clock",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("latest_ms", sa.BigInteger(), nullable=True),
        sa.Column("latest_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("earliest_ms", sa.BigInteger(), nullable=True),
        sa.Column("earliest_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("set_ms", sa.BigInteger(), nullable=True),
        sa.Column("set_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "device"], ["device.tenant", "device.id"], name=op.f("fk_boot_clock_tenant_device_device")
        ),
        sa.PrimaryKeyConstraint("tenant", "device", "boot", name=op.f("pk_boot_clock")),
    )


def downgrade() -> None:
    op.drop_table("boot_clock")
    op.drop_column("lead", "boot_ms")
    op.drop_column("lead", "boot")
    op.drop_column("lead", "time_source")
