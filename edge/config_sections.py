"""What every part of a box's configuration is: a frozen value that names all its mistakes at once."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from edge.config_errors import nearest, unknown, yaml_kind


def refuse(message: str) -> PydanticCustomError:
    """What a validator raises, in words for a person."""
    return PydanticCustomError("refused", "{message}", {"message": message})


class Section(BaseModel):
    """Base of every part of the configuration: unknown keys are refused with the nearest known one."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False, populate_by_name=True)

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterator[str]:  # noqa: ARG003 - sections that have none
        """What does not go together in it. `written` is what the file says: nothing of it has been checked."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _with_every_mistake(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - whatever YAML held
        if isinstance(data, cls):
            return handler(data)
        known = [field.alias or name for name, field in cls.model_fields.items()]
        if not isinstance(data, dict):
            raise refuse(f"expected keys and values ({', '.join(known)}), found {yaml_kind(data)}")
        foreign = [str(key) for key in data if key not in known]
        mistakes = [_mistake(unknown("key", key, known)) for key in foreign]
        mistakes += [_mistake(contradiction) for contradiction in cls.contradictions(data)]
        try:
            value = handler({key: entry for key, entry in data.items() if key in known})
        except ValidationError as error:
            misspelt = {nearest(key, known) for key in foreign}
            found = [
                each for each in error.errors() if each["type"] != "missing" or each["loc"] not in _as_places(misspelt)
            ]
            mistakes += [_as_before(each) for each in found]
        else:
            if not mistakes:
                return value
        raise ValidationError.from_exception_data(cls.__name__, mistakes)


def _mistake(message: str) -> InitErrorDetails:
    return InitErrorDetails(type=refuse(message), loc=(), input=None)


def _as_places(keys: set[str | None]) -> set[tuple[str | None]]:
    return {(key,) for key in keys}


def _as_before(detail: ErrorDetails) -> InitErrorDetails:
    """An error that was found inside, once more."""
    context = detail.get("ctx", {})
    kind = PydanticCustomError("refused", "{message}", context) if detail["type"] == "refused" else detail["type"]
    return InitErrorDetails(type=kind, loc=detail["loc"], input=None, ctx=context)
