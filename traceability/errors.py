"""What can be wrong with the register and the records of leaf.

TraceabilityError
├── NaiveTime          a time without a zone reached the database
├── BadPolygon         a boundary that is no polygon on the earth
├── BadPeriod          a dated row that would overlap or run backwards
├── UnknownEntry       nothing of that id stands in the register
└── LedgerMismatch     weights that cannot be true together
"""


class TraceabilityError(Exception):
    """Base of everything this package raises on purpose."""


class NaiveTime(TraceabilityError, ValueError):
    """A time without a zone; every time in the database is aware UTC."""


class BadPolygon(TraceabilityError, ValueError):
    """Not a simple WGS-84 polygon: too few corners, crossing itself, off the earth or without area."""


class BadPeriod(TraceabilityError, ValueError):
    """A change dated before the row it would close, or a period that ends before it begins."""


class UnknownEntry(TraceabilityError, LookupError):
    """The register has no row of that id at that time."""


class LedgerMismatch(TraceabilityError, ValueError):
    """Weights, counts or yields that contradict each other; the message lists each."""
