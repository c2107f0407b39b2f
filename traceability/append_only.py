"""Histories that the database itself refuses to rewrite: triggers on SQLite and PostgreSQL.

`guard(table)` adds the triggers wherever the table is made by `create_all`; a migration runs the statements of
`statements(table_name, dialect_name)` after it made the table.
"""

from collections.abc import Collection

from sqlalchemy import DDL, Table, event

SQLITE = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
)
POSTGRESQL_FUNCTION = (
    "CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
)
POSTGRESQL = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
)
VERBS = {"sqlite": ("update", "delete"), "postgresql": ("update", "delete", "truncate")}
ERASABLE = ("update",)
"""For `verbs`: rows that may be deleted, as the law may ask for, and yet never say anything else."""


def statements(table_name: str, dialect_name: str, verbs: Collection[str] | None = None) -> tuple[str, ...]:
    """The SQL that makes a table append-only, or refuses just these `verbs`; none for a dialect without a guard."""
    verbs = [verb for verb in VERBS.get(dialect_name, ()) if verbs is None or verb in verbs]
    template = SQLITE if dialect_name == "sqlite" else POSTGRESQL
    triggers = tuple(template.format(table=table_name, verb=verb, VERB=verb.upper()) for verb in verbs)
    if dialect_name == "postgresql":
        return (POSTGRESQL_FUNCTION.format(table=table_name), *triggers)
    return triggers


def guard(table: Table, verbs: Collection[str] | None = None) -> None:
    """Make the table append-only, or refuse just these `verbs`, wherever it is created from the metadata."""
    for dialect_name in VERBS:
        for statement in statements(table.name, dialect_name, verbs):
            trigger = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", trigger.execute_if(dialect=dialect_name))
