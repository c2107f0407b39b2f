"""What every part of a box's configuration is: a frozen value that refuses keys it does not know."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from edge.config_errors import unknown, yaml_kind


def refuse(message: str) -> PydanticCustomError:
    """What a validator raises, in words for a person."""
    return PydanticCustomError("refused", "{message}", {"message": message})


class Section(BaseModel):
    """Base of every part of the configuration: unknown keys are refused with the nearest known one."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, data: Any) -> Any:  # noqa: ANN401 - whatever YAML held
        if isinstance(data, dict):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            for key in data:
                if key not in known:
                    raise refuse(unknown("key", str(key), known))
        elif not isinstance(data, cls):
            keys = ", ".join(field.alias or name for name, field in cls.model_fields.items())
            raise refuse(f"expected keys and values ({keys}), found {yaml_kind(data)}")
        return data
