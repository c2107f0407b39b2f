"""Some of many rows: which part of a list a request asks for, and the answer."""

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from center.api.schemas import Answer

T = TypeVar("T")
Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=200, description="how many at most")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="how many to skip")]


class PageOf(Answer, Generic[T]):
    """Some of many: `total` says how many there are."""

    items: list[T]
    total: int
    limit: int
    offset: int


def page_of(session: Session, rows: Select[Row], *, read: Callable[[Row], T], limit: int, offset: int) -> PageOf[T]:
    """Of these rows, which stand in their order, at most `limit` from `offset` on, as `read` makes answers of them."""
    total = session.scalar(select(func.count()).select_from(rows.order_by(None).subquery())) or 0
    some = session.scalars(rows.limit(limit).offset(offset))
    return PageOf(items=[read(row) for row in some], total=total, limit=limit, offset=offset)
