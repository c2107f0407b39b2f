"""Links kept once for all leads that concern the same, under their hash, in place of a copy for each lead."""

import hashlib
import json
from collections.abc import Sequence
from itertools import groupby

import sqlalchemy as sa
from alembic import op

from traceability.append_only import statements

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LINK_COLUMNS = ("target_kind", "target_id", "name_zh", "name_en", "reason_key", "params")


def upgrade() -> None:
    shared = op.create_table(
        "shared_link",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("links_id", sa.String(length=64), nullable=False),
        *_link_columns(),
        sa.PrimaryKeyConstraint("tenant", "links_id", "number", name=op.f("pk_shared_link")),
    )
    op.create_index(
        op.f("ix_shared_link_tenant_target_kind_target_id"), "shared_link", ["tenant", "target_kind", "target_id"]
    )
    op.add_column("lead", sa.Column("links_id", sa.String(length=64), nullable=True))
    _share(shared)
    op.drop_table("lead_link")
    for statement in statements("shared_link", op.get_bind().dialect.name):
        op.execute(statement)


def _share(shared: sa.Table) -> None:
    bind = op.get_bind()
    own = sa.table("lead_link", sa.column("tenant"), sa.column("lead_id"), *_link_columns())
    lead = sa.table("lead", sa.column("tenant"), sa.column("id"), sa.column("links_id"))
    known = set[tuple[str, str]]()
    rows = bind.execute(sa.select(own).order_by(own.c.tenant, own.c.lead_id, own.c.number)).mappings().all()
    for (tenant, lead_id), links in groupby(rows, key=lambda row: (row["tenant"], row["lead_id"])):
        told = [{name: row[name] for name in LINK_COLUMNS} for row in links]
        links_id = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        if (tenant, links_id) not in known:
            known.add((tenant, links_id))
            given = {"tenant": tenant, "links_id": links_id}
            bind.execute(
                sa.insert(shared), [{**given, "number": number, **link} for number, link in enumerate(told, start=1)]
            )
        bind.execute(sa.update(lead).where(lead.c.tenant == tenant, lead.c.id == lead_id).values(links_id=links_id))


def _link_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("target_kind", sa.String(length=16), nullable=False),
        sa.Column("target_id", sa.String(length=128), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("reason_key", sa.String(length=32), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    own = op.create_table(
        "lead_link",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("lead_id", sa.String(length=128), nullable=False),
        *_link_columns(),
        sa.ForeignKeyConstraint(
            ["tenant", "lead_id"], ["lead.tenant", "lead.id"], name=op.f("fk_lead_link_tenant_lead_id_lead")
        ),
        sa.PrimaryKeyConstraint("tenant", "lead_id", "number", name=op.f("pk_lead_link")),
    )
    op.create_index(
        op.f("ix_lead_link_tenant_target_kind_target_id"), "lead_link", ["tenant", "target_kind", "target_id"]
    )
    lead = sa.table("lead", sa.column("tenant"), sa.column("id"), sa.column("links_id"))
    shared = sa.table("shared_link", sa.column("tenant"), sa.column("links_id"), *_link_columns())
    same = (shared.c.tenant == lead.c.tenant) & (shared.c.links_id == lead.c.links_id)
    columns = ("number", *LINK_COLUMNS)
    copied = sa.select(lead.c.tenant, lead.c.id, *(shared.c[name] for name in columns)).join_from(lead, shared, same)
    op.execute(sa.insert(own).from_select(["tenant", "lead_id", *columns], copied))
    op.drop_table("shared_link")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION shared_link_refuse()")
    op.drop_column("lead", "links_id")
