"""One clear line for each thing that is wrong in a configuration: where, what, and the nearest thing that exists.

Values are never repeated from pydantic's own messages: an address may hold a password.
"""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

SHOWN = 20


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """`unknown zone 'gras'; did you mean 'grass'? There is: grass, road`."""
    names = list(known)
    meant = nearest(name, names)
    guess = f"; did you mean {meant!r}?" if meant else "."
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    return f"unknown {what} {name!r}{guess} There is: {shown or 'none'}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, if any is."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), None)


def describe(error: ValidationError, data: object, root: str, model: type[BaseModel]) -> list[str]:
    """A line for each problem; `data` is what was validated as `model`, `root` what the place is called."""
    details = error.errors(include_url=False, include_input=False)
    return [_line(detail, data, root, model) for detail in details if not _follows(detail, details)]


def yaml_kind(value: object) -> str:
    """What somebody wrote, in the words of a person who knows no Python."""
    kinds = {type(None): "nothing", str: "text", bool: "yes or no", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "something else")


def _follows(detail: ErrorDetails, details: Iterable[ErrorDetails]) -> bool:
    """Whether a list is called too short only because something inside it is wrong."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in details
    )


def _line(detail: ErrorDetails, data: object, root: str, model: type[BaseModel]) -> str:
    place = _place(detail["loc"], data, root)
    message = _message(detail, model)
    return f"{place}: {message}" if place else message


def _place(location: tuple[int | str, ...], data: object, root: str) -> str:
    """`cameras[cam-1].zones[0].polygon`: list items by their id where they have one."""
    text, here = root, data
    for step in location:
        if isinstance(step, int):
            here = here[step] if isinstance(here, list | tuple) and step < len(here) else None
            name = here.get("id") if isinstance(here, dict) else None
            text += f"[{name if isinstance(name, str) else step}]"
        elif not isinstance(here, dict) or step in here or _looks_like_a_key(step):
            here = here.get(step) if isinstance(here, dict) else None
            text += f".{step}" if text else step
    return text


def _looks_like_a_key(step: str) -> bool:
    """Pydantic also puts the names of union members and validators into a location."""
    return step.islower() and step.isidentifier()


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        return unknown("key", str(detail["loc"][-1]), model.model_fields)
    own = {
        "missing": "is missing",
        "refused": context.get("message"),
        "string_pattern_mismatch": "begins with a letter or digit, then letters, digits, '.', '_', '-'; 64 at most",
        "enum": f"must be {context.get('expected')}",
        "too_short": f"needs at least {context.get('min_length')}",
    }
    return str(own.get(detail["type"]) or _lowered(detail["msg"]))


def _lowered(message: Any) -> str:  # noqa: ANN401 - pydantic's text
    text = str(message).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
