"""What words from outside may hold before a database sees them."""

from typing import Annotated, Final

from pydantic import StringConstraints

NO_NUL: Final = r"^[^\x00]*$"
"""PostgreSQL keeps no NUL in a text."""

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_NUL)]
"""Why a file leaves the centre."""
