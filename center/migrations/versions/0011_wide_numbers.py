"""Numbers from the wire are as wide on PostgreSQL as the wire allows; on SQLite they always were."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

WIDE = {
    "epoch": ("cumulative", "highest", "forks", "breaks"),
    "device": (
        "pending_records",
        "pending_uploads",
        "quarantined_records",
        "rejected_downlinks",
        "discarded_records",
        "duplicates",
    ),
    "lead": ("revision",),
    "announced_file": ("size_bytes",),
    "quarantine": ("size_bytes", "count"),
}


def upgrade() -> None:
    _alter(sa.BigInteger())


def downgrade() -> None:
    _alter(sa.Integer())


def _alter(width: sa.types.TypeEngine[int]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in WIDE.items():
            for column in columns:
                op.alter_column(table, column, type_=width)
