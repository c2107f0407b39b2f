"""The register's edition: a name that changes with the register, so that what was computed from it can be kept."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from traceability.editions import statements

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

WATCHED = (
    "camera",
    "camera_entry",
    "party",
    "garden",
    "plot",
    "plot_entry",
    "plot_tenure",
    "plant",
    "plant_entry",
    "leaf_card",
    "leaf_card_entry",
    "leaf_sale",
    "lot_input",
    "link_policy",
    "grid",
    "grid_entry",
    "response_policy",
    "working_week",
)


def upgrade() -> None:
    op.create_table(
        "register_edition",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_register_edition")),
    )
    for table in WATCHED:
        for statement in statements(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    for table in WATCHED:
        for verb in ("insert", "update", "delete"):
            on = f" ON {table}" if op.get_bind().dialect.name == "postgresql" else ""
            op.execute(f"DROP TRIGGER {table}_new_edition_{verb}{on}")
    op.drop_table("register_edition")
