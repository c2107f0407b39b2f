"""What pydantic finds wrong in county.yaml, as lines for the person who wrote it."""

import re
from collections.abc import Collection
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from center.settings import closest

SHOWN = 30

MESSAGES = {
    "missing": "is missing",
    "string_type": "must be text; put it into quotes",
    "tuple_type": "must be a list",
    "model_type": "must be keys and values",
    "string_pattern_mismatch": "begins with a letter or digit, then letters, digits, '.', '_', '-'; 64 at most",
    "too_short": "needs at least one",
}


def offer(name: str, known: Collection[str]) -> str:
    """`; did you mean 'grass'? There is: grass, road`, to end a line about a name that is not known."""
    names = list(known)
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    return f"{closest(name, names) or '.'} There is: {shown or 'none'}"


def describe(error: ValidationError, data: object, model: type[BaseModel]) -> list[str]:
    """A line for each problem of `data`, which was validated as `model`: `cameras[cam-1].purposes[0]: …`."""
    return [f"{_place(detail['loc'], data)}: {_message(detail, model)}" for detail in error.errors(include_url=False)]


def _place(location: tuple[int | str, ...], data: object) -> str:
    """List items by their id where they have one."""
    text, here = "", data
    for step in location:
        if isinstance(step, int):
            here = here[step] if isinstance(here, list) and step < len(here) else None
            name = here.get("id") if isinstance(here, dict) else None
            text += f"[{name if isinstance(name, str) else step}]"
        else:
            here = here.get(step) if isinstance(here, dict) else None
            text += f".{step}" if text else step
    return text


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    if detail["type"] == "extra_forbidden":
        known = list(_part_at(detail["loc"][:-1], model).model_fields)
        return f"unknown key{offer(str(detail['loc'][-1]), known)}"
    if detail["type"] == "enum":
        expected = str(detail["ctx"]["expected"])
        known = re.findall(r"'([^']*)'", expected)
        return f"unknown word {detail['input']!r}{offer(str(detail['input']), known)}"
    text = MESSAGES.get(detail["type"]) or str(detail["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _part_at(location: tuple[int | str, ...], model: type[BaseModel]) -> type[BaseModel]:
    for step in location:
        if isinstance(step, str):
            model = _part_in(model.model_fields[step].annotation) or model
    return model


def _part_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any type expression
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((part for each in get_args(annotation) if (part := _part_in(each))), None)
