"""Books to read and write in; every test begins with the same ones."""

from tests.traceability.books import books, county

__all__ = ["books", "county"]
