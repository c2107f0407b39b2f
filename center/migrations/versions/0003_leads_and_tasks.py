"""Leads, their links, tasks with their histories, grids, findings."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from traceability.append_only import statements

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "grid",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_grid")),
    )
    op.create_table(
        "lead",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("config_sha256", sa.String(length=64), nullable=False),
        sa.Column("camera", sa.String(length=64), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stream_ms", sa.BigInteger(), nullable=False),
        sa.Column("footage", sa.String(length=16), nullable=False),
        sa.Column("frame_width", sa.Integer(), nullable=False),
        sa.Column("frame_height", sa.Integer(), nullable=False),
        sa.Column("objects", sa.JSON(), nullable=False),
        sa.Column("because", sa.JSON(), nullable=False),
        sa.Column("model_name", sa.String(length=64), nullable=False),
        sa.Column("model_sha256", sa.String(length=64), nullable=False),
        sa.Column("clock", sa.String(length=16), nullable=False),
        sa.Column("unobserved_ms", sa.BigInteger(), nullable=False),
        sa.Column("record_sha256", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("linked_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("linked_camera", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_lead")),
        sa.UniqueConstraint("tenant", "device", "incident", name=op.f("uq_lead_tenant_device_incident")),
    )
    op.create_index(op.f("ix_lead_tenant_camera_opened_at"), "lead", ["tenant", "camera", "opened_at"], unique=False)
    op.create_index(op.f("ix_lead_tenant_opened_at"), "lead", ["tenant", "opened_at"], unique=False)
    op.create_table(
        "response_policy",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clock", sa.String(length=16), nullable=False),
        sa.Column("acknowledge_minutes", sa.Integer(), nullable=False),
        sa.Column("finish_minutes", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "finish_minutes >= acknowledge_minutes", name=op.f("ck_response_policy_finish_after_acknowledge")
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_response_policy_period_runs_forward")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", "valid_from", name=op.f("pk_response_policy")),
    )
    op.create_index(
        "uq_response_policy_one_open",
        "response_policy",
        ["tenant", "id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "working_week",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("sessions", sa.JSON(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_working_week_period_runs_forward")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", "valid_from", name=op.f("pk_working_week")),
    )
    op.create_index(
        "uq_working_week_one_open",
        "working_week",
        ["tenant", "id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "grid_entry",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("polygon", sa.JSON(), nullable=False),
        sa.Column("area_m2", sa.BigInteger(), nullable=False),
        sa.Column("west_e7", sa.BigInteger(), nullable=False),
        sa.Column("south_e7", sa.BigInteger(), nullable=False),
        sa.Column("east_e7", sa.BigInteger(), nullable=False),
        sa.Column("north_e7", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_grid_entry_period_runs_forward")),
        sa.ForeignKeyConstraint(
            ["tenant", "id"], ["grid.tenant", "grid.id"], name=op.f("fk_grid_entry_tenant_id_grid")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", "valid_from", name=op.f("pk_grid_entry")),
    )
    op.create_index(
        op.f("ix_grid_entry_tenant_west_e7_east_e7"), "grid_entry", ["tenant", "west_e7", "east_e7"], unique=False
    )
    op.create_index(
        "uq_grid_entry_one_open",
        "grid_entry",
        ["tenant", "id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "lead_link",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("lead_id", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("target_kind", sa.String(length=16), nullable=False),
        sa.Column("target_id", sa.String(length=128), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("reason_key", sa.String(length=32), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "lead_id"], ["lead.tenant", "lead.id"], name=op.f("fk_lead_link_tenant_lead_id_lead")
        ),
        sa.PrimaryKeyConstraint("tenant", "lead_id", "number", name=op.f("pk_lead_link")),
    )
    op.create_index(
        op.f("ix_lead_link_tenant_target_kind_target_id"),
        "lead_link",
        ["tenant", "target_kind", "target_id"],
        unique=False,
    )
    op.create_table(
        "task",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("lead_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledge_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finish_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_clock", sa.String(length=16), nullable=False),
        sa.Column("deadline_source", sa.Text(), nullable=False),
        sa.Column("calendar_complete", sa.Boolean(), nullable=False),
        sa.Column("grid_id", sa.String(length=128), nullable=True),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("assignment_reason", sa.String(length=32), nullable=False),
        sa.Column("assignment_params", sa.JSON(), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_task_version_is_positive")),
        sa.ForeignKeyConstraint(
            ["tenant", "lead_id"], ["lead.tenant", "lead.id"], name=op.f("fk_task_tenant_lead_id_lead")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_task")),
        sa.UniqueConstraint("tenant", "lead_id", name=op.f("uq_task_tenant_lead_id")),
    )
    op.create_index(op.f("ix_task_tenant_officer_state"), "task", ["tenant", "officer", "state"], unique=False)
    op.create_index(op.f("ix_task_tenant_state_finish_by"), "task", ["tenant", "state", "finish_by"], unique=False)
    op.create_table(
        "finding",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("lead_id", sa.String(length=128), nullable=False),
        sa.Column("task_id", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.String(length=64), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=64), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdraw_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=64), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "lead_id"], ["lead.tenant", "lead.id"], name=op.f("fk_finding_tenant_lead_id_lead")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "task_id"], ["task.tenant", "task.id"], name=op.f("fk_finding_tenant_task_id_task")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_tenant_lead_id"), "finding", ["tenant", "lead_id"], unique=False)
    op.create_index(op.f("ix_finding_tenant_status"), "finding", ["tenant", "status"], unique=False)
    op.create_table(
        "task_event",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("task_id", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_user", sa.String(length=64), nullable=False),
        sa.Column("by_role", sa.String(length=16), nullable=False),
        sa.Column("move", sa.String(length=32), nullable=False),
        sa.Column("from_state", sa.String(length=16), nullable=False),
        sa.Column("to_state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "task_id"], ["task.tenant", "task.id"], name=op.f("fk_task_event_tenant_task_id_task")
        ),
        sa.PrimaryKeyConstraint("tenant", "task_id", "number", name=op.f("pk_task_event")),
    )
    for table in ("task_event",):
        for statement in statements(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("task_event")
    op.drop_index(op.f("ix_finding_tenant_status"), table_name="finding")
    op.drop_index(op.f("ix_finding_tenant_lead_id"), table_name="finding")
    op.drop_table("finding")
    op.drop_index(op.f("ix_task_tenant_state_finish_by"), table_name="task")
    op.drop_index(op.f("ix_task_tenant_officer_state"), table_name="task")
    op.drop_table("task")
    op.drop_index(op.f("ix_lead_link_tenant_target_kind_target_id"), table_name="lead_link")
    op.drop_table("lead_link")
    op.drop_index(
        "uq_grid_entry_one_open",
        table_name="grid_entry",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_index(op.f("ix_grid_entry_tenant_west_e7_east_e7"), table_name="grid_entry")
    op.drop_table("grid_entry")
    op.drop_index(
        "uq_working_week_one_open",
        table_name="working_week",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_table("working_week")
    op.drop_index(
        "uq_response_policy_one_open",
        table_name="response_policy",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_table("response_policy")
    op.drop_index(op.f("ix_lead_tenant_opened_at"), table_name="lead")
    op.drop_index(op.f("ix_lead_tenant_camera_opened_at"), table_name="lead")
    op.drop_table("lead")
    op.drop_table("grid")
