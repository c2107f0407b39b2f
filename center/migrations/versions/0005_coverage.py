"""When each camera was watched, and when not."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from traceability.append_only import statements

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "coverage",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("record_sha256", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "device"], ["device.tenant", "device.id"], name=op.f("fk_coverage_tenant_device_device")
        ),
        sa.PrimaryKeyConstraint("tenant", "record_sha256", "number", name=op.f("pk_coverage")),
    )
    op.create_index(
        op.f("ix_coverage_tenant_camera_from_at"), "coverage", ["tenant", "camera", "from_at"], unique=False
    )
    for statement in statements("coverage", op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_coverage_tenant_camera_from_at"), table_name="coverage")
    op.drop_table("coverage")
