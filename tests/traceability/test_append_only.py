"""Histories that the database refuses to rewrite."""

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError

from traceability.append_only import guard, statements


@pytest.mark.parametrize(
    "statement",
    ["UPDATE history SET said = 'other'", "DELETE FROM history", "UPDATE history SET said = said WHERE number = 1"],
)
def test_a_guarded_table_takes_new_lines_and_keeps_old_ones(statement: str) -> None:
    table = Table("history", MetaData(), Column("number", Integer, primary_key=True), Column("said", String))
    guard(table)
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        table.metadata.create_all(connection)
        connection.execute(insert(table), [{"number": 1, "said": "so"}])
        with pytest.raises(IntegrityError, match="history is append-only"):
            connection.execute(text(statement))
        connection.execute(insert(table), [{"number": 2, "said": "and so"}])
        assert connection.execute(select(table.c.said)).scalars().all() == ["so", "and so"]
    engine.dispose()


def test_postgresql_also_refuses_to_empty_the_table() -> None:
    said = "\n".join(statements("history", "postgresql"))
    for verb in ("UPDATE", "DELETE", "TRUNCATE"):
        assert f"BEFORE {verb} ON history" in said


def test_an_unknown_dialect_gets_no_statements_rather_than_wrong_ones() -> None:
    assert statements("history", "oracle") == ()
