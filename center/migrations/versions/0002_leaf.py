"""Leaf and what is made of it: cards, sales, lots, steps, tests, packs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "product",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("grade_zh", sa.Text(), nullable=False),
        sa.Column("grade_en", sa.Text(), nullable=False),
        sa.Column("net_g", sa.Integer(), nullable=False),
        sa.Column("shelf_life_months", sa.Integer(), nullable=False),
        sa.Column("organic", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "gtin", name=op.f("pk_product")),
    )
    op.create_table(
        "leaf_card",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("party_id", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "party_id"], ["party.tenant", "party.id"], name=op.f("fk_leaf_card_tenant_party_id_party")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_leaf_card")),
        sa.UniqueConstraint("tenant", "number", name=op.f("uq_leaf_card_tenant_number")),
    )
    op.create_index(op.f("ix_leaf_card_tenant_party_id"), "leaf_card", ["tenant", "party_id"], unique=False)
    op.create_table(
        "leaf_card_entry",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_leaf_card_entry_period_runs_forward")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "id"], ["leaf_card.tenant", "leaf_card.id"], name=op.f("fk_leaf_card_entry_tenant_id_leaf_card")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", "valid_from", name=op.f("pk_leaf_card_entry")),
    )
    op.create_index(
        "uq_leaf_card_entry_one_open",
        "leaf_card_entry",
        ["tenant", "id"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "lot",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("plant_id", sa.String(length=128), nullable=False),
        sa.Column("maker_id", sa.String(length=128), nullable=False),
        sa.Column("product_kind_zh", sa.Text(), nullable=False),
        sa.Column("product_kind_en", sa.Text(), nullable=False),
        sa.Column("made_g", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organic_state", sa.String(length=32), nullable=False),
        sa.CheckConstraint("made_g > 0", name=op.f("ck_lot_made_is_positive")),
        sa.ForeignKeyConstraint(
            ["tenant", "maker_id"], ["party.tenant", "party.id"], name=op.f("fk_lot_tenant_maker_id_party")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "plant_id"], ["plant.tenant", "plant.id"], name=op.f("fk_lot_tenant_plant_id_plant")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_lot")),
    )
    op.create_table(
        "lab_test",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("lot_id", sa.String(length=128), nullable=False),
        sa.Column("laboratory_zh", sa.Text(), nullable=False),
        sa.Column("laboratory_en", sa.Text(), nullable=False),
        sa.Column("sampled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("report_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "lot_id"], ["lot.tenant", "lot.id"], name=op.f("fk_lab_test_tenant_lot_id_lot")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_lab_test")),
    )
    op.create_index(op.f("ix_lab_test_tenant_lot_id"), "lab_test", ["tenant", "lot_id"], unique=False)
    op.create_table(
        "leaf_sale",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("card_id", sa.String(length=128), nullable=False),
        sa.Column("seller_id", sa.String(length=128), nullable=False),
        sa.Column("buyer_id", sa.String(length=128), nullable=False),
        sa.Column("plot_id", sa.String(length=128), nullable=False),
        sa.Column("picked_on", sa.Date(), nullable=False),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("grade_zh", sa.Text(), nullable=False),
        sa.Column("grade_en", sa.Text(), nullable=False),
        sa.Column("leaf_g", sa.BigInteger(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("organic_state", sa.String(length=32), nullable=False),
        sa.Column("market_zh", sa.Text(), nullable=False),
        sa.Column("market_en", sa.Text(), nullable=False),
        sa.Column("scale", sa.Text(), nullable=False),
        sa.Column("conformity_certificate", sa.Text(), nullable=True),
        sa.CheckConstraint("leaf_g > 0", name=op.f("ck_leaf_sale_leaf_is_positive")),
        sa.ForeignKeyConstraint(
            ["tenant", "buyer_id"], ["party.tenant", "party.id"], name=op.f("fk_leaf_sale_tenant_buyer_id_party")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "card_id"],
            ["leaf_card.tenant", "leaf_card.id"],
            name=op.f("fk_leaf_sale_tenant_card_id_leaf_card"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "plot_id"], ["plot.tenant", "plot.id"], name=op.f("fk_leaf_sale_tenant_plot_id_plot")
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "seller_id"], ["party.tenant", "party.id"], name=op.f("fk_leaf_sale_tenant_seller_id_party")
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_leaf_sale")),
    )
    op.create_index(
        op.f("ix_leaf_sale_tenant_plot_id_picked_on"), "leaf_sale", ["tenant", "plot_id", "picked_on"], unique=False
    )
    op.create_table(
        "lot_input",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("lot_id", sa.String(length=128), nullable=False),
        sa.Column("input_kind", sa.String(length=16), nullable=False),
        sa.Column("input_id", sa.String(length=128), nullable=False),
        sa.Column("input_g", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("input_g > 0", name=op.f("ck_lot_input_input_is_positive")),
        sa.ForeignKeyConstraint(
            ["tenant", "lot_id"], ["lot.tenant", "lot.id"], name=op.f("fk_lot_input_tenant_lot_id_lot")
        ),
        sa.PrimaryKeyConstraint("tenant", "lot_id", "input_kind", "input_id", name=op.f("pk_lot_input")),
    )
    op.create_index(
        op.f("ix_lot_input_tenant_input_kind_input_id"), "lot_input", ["tenant", "input_kind", "input_id"], unique=False
    )
    op.create_table(
        "making_step",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("lot_id", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("machine_zh", sa.Text(), nullable=False),
        sa.Column("machine_en", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("in_g", sa.BigInteger(), nullable=False),
        sa.Column("out_g", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "lot_id"], ["lot.tenant", "lot.id"], name=op.f("fk_making_step_tenant_lot_id_lot")
        ),
        sa.PrimaryKeyConstraint("tenant", "lot_id", "number", name=op.f("pk_making_step")),
    )
    op.create_table(
        "pack",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("lot_id", sa.String(length=20), nullable=False),
        sa.Column("serial", sa.String(length=20), nullable=False),
        sa.Column("packed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("best_before", sa.Date(), nullable=False),
        sa.Column("organic_code", sa.String(length=17), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "gtin"], ["product.tenant", "product.gtin"], name=op.f("fk_pack_tenant_gtin_product")
        ),
        sa.ForeignKeyConstraint(["tenant", "lot_id"], ["lot.tenant", "lot.id"], name=op.f("fk_pack_tenant_lot_id_lot")),
        sa.PrimaryKeyConstraint("tenant", "gtin", "lot_id", "serial", name=op.f("pk_pack")),
    )
    op.create_index(op.f("ix_pack_tenant_lot_id"), "pack", ["tenant", "lot_id"], unique=False)
    op.create_table(
        "lab_item",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("test_id", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.Column("quantifiable_from", sa.Integer(), nullable=False),
        sa.Column("result", sa.Integer(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "test_id"], ["lab_test.tenant", "lab_test.id"], name=op.f("fk_lab_item_tenant_test_id_lab_test")
        ),
        sa.PrimaryKeyConstraint("tenant", "test_id", "number", name=op.f("pk_lab_item")),
    )


def downgrade() -> None:
    op.drop_table("lab_item")
    op.drop_index(op.f("ix_pack_tenant_lot_id"), table_name="pack")
    op.drop_table("pack")
    op.drop_table("making_step")
    op.drop_index(op.f("ix_lot_input_tenant_input_kind_input_id"), table_name="lot_input")
    op.drop_table("lot_input")
    op.drop_index(op.f("ix_leaf_sale_tenant_plot_id_picked_on"), table_name="leaf_sale")
    op.drop_table("leaf_sale")
    op.drop_index(op.f("ix_lab_test_tenant_lot_id"), table_name="lab_test")
    op.drop_table("lab_test")
    op.drop_table("lot")
    op.drop_index(
        "uq_leaf_card_entry_one_open",
        table_name="leaf_card_entry",
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_table("leaf_card_entry")
    op.drop_index(op.f("ix_leaf_card_tenant_party_id"), table_name="leaf_card")
    op.drop_table("leaf_card")
    op.drop_table("product")
