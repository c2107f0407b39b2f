"""The tree of errors is the one its docstring draws."""

import inspect
import re

from alerts import errors


def test_every_error_stands_in_the_drawing_and_under_the_base() -> None:
    drawn = set(re.findall(r"^[ │├└─]*([A-Z][A-Za-z]+)\b", errors.__doc__ or "", re.MULTILINE)) - {"Everything"}
    defined = {name for name, kind in inspect.getmembers(errors, inspect.isclass)}
    assert drawn == defined
    assert all(issubclass(getattr(errors, name), errors.AlertsError) for name in defined)
