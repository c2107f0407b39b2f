"""Books to read and write in; every test begins with the same ones."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from tests.traceability.books import demo_books, empty_books


@pytest.fixture
def books() -> Iterator[Session]:
    """Empty tables."""
    with empty_books() as session:
        yield session


@pytest.fixture
def county() -> Iterator[Session]:
    """The demo county at `NOW`."""
    with demo_books() as session:
        yield session
