"""Time-stamps by what they are: an authority tells whole seconds, and two within one were one too many."""

import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from traceability.append_only import statements

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _columns() -> list[sa.Column[Any]]:
    """As they were."""
    return [
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
    ]


def upgrade() -> None:
    rows = _take()
    made = op.create_table(
        "log_timestamp",
        *_columns(),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "size", "sha256", name=op.f("pk_log_timestamp")),
    )
    _give(made, [row | {"sha256": hashlib.sha256(row["response"]).hexdigest()} for row in rows])


def downgrade() -> None:
    rows = {(row["tenant"], row["size"], row["stamped_at"]): row for row in _take()}
    made = op.create_table(
        "log_timestamp",
        *_columns(),
        sa.PrimaryKeyConstraint("tenant", "size", "stamped_at", name=op.f("pk_log_timestamp")),
    )
    _give(made, list(rows.values()))


def _take() -> list[dict[str, Any]]:
    """The rows of the table, which is no more."""
    table = sa.table("log_timestamp", *(sa.column(column.name, column.type) for column in _columns()))
    rows = [dict(row) for row in op.get_bind().execute(sa.select(table)).mappings()]
    op.drop_table("log_timestamp")
    return rows


def _give(made: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        op.bulk_insert(made, rows)
    for statement in statements("log_timestamp", op.get_bind().dialect.name):
        op.execute(statement)
