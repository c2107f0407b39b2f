"""The register: parties, plots, plants, cameras, policies."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "camera",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_camera")),
    )
    op.create_table(
        "ledger_policy",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leaf_cap_g_per_mu", sa.Integer(), nullable=False),
        sa.Column("input_per_made_min_permille", sa.Integer(), nullable=False),
        sa.Column("input_per_made_max_permille", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_ledger_policy_period_runs_forward")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", "valid_from", name=op.f("pk_ledger_policy")),
    )
    op.create_index(
        "uq_ledger_policy_one_open",
        "ledger_policy",
        ["tenant", "id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "link_policy",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("picked_before_days", sa.Integer(), nullable=False),
        sa.Column("picked_after_days", sa.Integer(), nullable=False),
        sa.Column("overlap_min_m2", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_link_policy_period_runs_forward")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", "valid_from", name=op.f("pk_link_policy")),
    )
    op.create_index(
        "uq_link_policy_one_open",
        "link_policy",
        ["tenant", "id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "party",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("pseudonym_en", sa.Text(), nullable=False),
        sa.Column("farm_code", sa.String(length=64), nullable=False),
        sa.Column("code_colour", sa.String(length=16), nullable=False),
        sa.Column("code_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_party")),
    )
    op.create_table(
        "camera_entry",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("longitude_e7", sa.Integer(), nullable=False),
        sa.Column("latitude_e7", sa.Integer(), nullable=False),
        sa.Column("place_zh", sa.Text(), nullable=False),
        sa.Column("place_en", sa.Text(), nullable=False),
        sa.Column("operator_zh", sa.Text(), nullable=False),
        sa.Column("operator_en", sa.Text(), nullable=False),
        sa.Column("legal_basis_zh", sa.Text(), nullable=False),
        sa.Column("legal_basis_en", sa.Text(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("sign_zh", sa.Text(), nullable=False),
        sa.Column("sign_en", sa.Text(), nullable=False),
        sa.Column("no_private_space", sa.Boolean(), nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=True),
        sa.Column("place_published", sa.Boolean(), nullable=False),
        sa.Column("filing_number", sa.Text(), nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.Column("storage_days", sa.Integer(), nullable=False),
        sa.Column("stand_in_zh", sa.Text(), nullable=True),
        sa.Column("stand_in_en", sa.Text(), nullable=True),
        sa.Column("polygon", sa.JSON(), nullable=False),
        sa.Column("area_m2", sa.BigInteger(), nullable=False),
        sa.Column("west_e7", sa.BigInteger(), nullable=False),
        sa.Column("south_e7", sa.BigInteger(), nullable=False),
        sa.Column("east_e7", sa.BigInteger(), nullable=False),
        sa.Column("north_e7", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_camera_entry_period_runs_forward")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "id"], ["camera.tenant", "camera.id"], name=op.f("fk_camera_entry_tenant_id_camera")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", "valid_from", name=op.f("pk_camera_entry")),
    )
    op.create_index(
        "uq_camera_entry_one_open",
        "camera_entry",
        ["tenant", "id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "garden",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "operator_id"], ["party.tenant", "party.id"], name=op.f("fk_garden_tenant_operator_id_party")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_garden")),
    )
    op.create_table(
        "plant",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "operator_id"], ["party.tenant", "party.id"], name=op.f("fk_plant_tenant_operator_id_party")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_plant")),
    )
    op.create_table(
        "plant_entry",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polygon", sa.JSON(), nullable=False),
        sa.Column("area_m2", sa.BigInteger(), nullable=False),
        sa.Column("west_e7", sa.BigInteger(), nullable=False),
        sa.Column("south_e7", sa.BigInteger(), nullable=False),
        sa.Column("east_e7", sa.BigInteger(), nullable=False),
        sa.Column("north_e7", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_plant_entry_period_runs_forward")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "id"], ["plant.tenant", "plant.id"], name=op.f("fk_plant_entry_tenant_id_plant")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", "valid_from", name=op.f("pk_plant_entry")),
    )
    op.create_index(
        "uq_plant_entry_one_open",
        "plant_entry",
        ["tenant", "id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "plot",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("garden_id", sa.String(length=128), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "garden_id"], ["garden.tenant", "garden.id"], name=op.f("fk_plot_tenant_garden_id_garden")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_plot")),
    )
    op.create_table(
        "plot_entry",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cultivar", sa.Text(), nullable=False),
        sa.Column("cultivar_en", sa.Text(), nullable=False),
        sa.Column("organic_state", sa.String(length=32), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("certified_from", sa.Date(), nullable=True),
        sa.Column("certified_to", sa.Date(), nullable=True),
        sa.Column("conversion_from", sa.Date(), nullable=True),
        sa.Column("buffer_m", sa.Integer(), nullable=False),
        sa.Column("polygon", sa.JSON(), nullable=False),
        sa.Column("area_m2", sa.BigInteger(), nullable=False),
        sa.Column("west_e7", sa.BigInteger(), nullable=False),
        sa.Column("south_e7", sa.BigInteger(), nullable=False),
        sa.Column("east_e7", sa.BigInteger(), nullable=False),
        sa.Column("north_e7", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_plot_entry_period_runs_forward")),
        sa.ForeignKeyConstraint(
            ["tenant", "id"], ["plot.tenant", "plot.id"], name=op.f("fk_plot_entry_tenant_id_plot")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", "valid_from", name=op.f("pk_plot_entry")),
    )
    op.create_index(
        op.f("ix_plot_entry_tenant_west_e7_east_e7"), "plot_entry", ["tenant", "west_e7", "east_e7"], unique=False
    )
    op.create_index(
        "uq_plot_entry_one_open",
        "plot_entry",
        ["tenant", "id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "plot_tenure",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("party_id", sa.String(length=128), nullable=False),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_plot_tenure_period_runs_forward")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "id"], ["plot.tenant", "plot.id"], name=op.f("fk_plot_tenure_tenant_id_plot")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "party_id"], ["party.tenant", "party.id"], name=op.f("fk_plot_tenure_tenant_party_id_party")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", "valid_from", name=op.f("pk_plot_tenure")),
    )
    op.create_index(
        "uq_plot_tenure_one_open",
        "plot_tenure",
        ["tenant", "id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_plot_tenure_one_open",
        table_name="plot_tenure",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_table("plot_tenure")
    op.drop_index(
        "uq_plot_entry_one_open",
        table_name="plot_entry",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_index(op.f("ix_plot_entry_tenant_west_e7_east_e7"), table_name="plot_entry")
    op.drop_table("plot_entry")
    op.drop_table("plot")
    op.drop_index(
        "uq_plant_entry_one_open",
        table_name="plant_entry",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_table("plant_entry")
    op.drop_table("plant")
    op.drop_table("garden")
    op.drop_index(
        "uq_camera_entry_one_open",
        table_name="camera_entry",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_table("camera_entry")
    op.drop_table("party")
    op.drop_index(
        "uq_link_policy_one_open",
        table_name="link_policy",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_table("link_policy")
    op.drop_index(
        "uq_ledger_policy_one_open",
        table_name="ledger_policy",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_table("ledger_policy")
    op.drop_table("camera")
