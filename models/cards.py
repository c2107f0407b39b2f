"""Model cards: what a network is, where it comes from, what may be done with it, and how to feed and read it.

A card is a YAML file in `models/cards`; its name is the name of the model in configurations and alerts. A user's own
network needs nothing but such a card beside its ONNX file: configurations then name the card's path.
"""

import difflib
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from models.errors import BadModelCard, UnknownModel

CARDS = Path(__file__).parent / "cards"

Share = Annotated[float, Field(gt=0, lt=1)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
AnchorSize = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Input(_Part):
    """How a picture becomes the network's input: (1, 3, size, size) float32, each value times `scale`."""

    size_px: Annotated[int, Field(ge=32, le=4096)]
    channels: Literal["rgb", "bgr"]
    scale: Annotated[float, Field(gt=0, le=1)]
    pad: Annotated[int, Field(ge=0, le=255)]
    """The grey around a picture that is not square, 0..255 before scaling."""
    centred: bool
    """Picture in the middle of the square, or at its upper left corner."""


class Yolov3Head(_Part):
    """Anchors of each output in its order: width and height in input pixels."""

    kind: Literal["yolov3"]
    anchors: Annotated[tuple[tuple[AnchorSize, ...], ...], Field(min_length=1)]


class YoloxHead(_Part):
    """Strides, in input pixels, in the order of the output's rows."""

    kind: Literal["yolox"]
    strides: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1)]


class Yolov8Head(_Part):
    """Boxes decoded inside the network, as YOLOv8, YOLO11 and their kin are exported without suppression."""

    kind: Literal["yolov8"]


class Origin(_Part):
    """Where the file comes from, and under which licence it may be used and passed on."""

    source: Text
    licence: Text
    notes: Text


class Measured(_Part):
    """What the model reached, on what, so that `teawatch models evaluate` can be held against it."""

    data: Text
    pictures: Annotated[int, Field(gt=0)]
    ap50_permille: Annotated[int, Field(ge=0, le=1000)]


class ModelCard(_Part):
    """Everything a detector needs to know about a network, and everything a reader should."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    summary: Text
    file: Path
    """Relative to the card's folder; absolute after reading."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    origin: Origin
    input: Input
    head: Annotated[Yolov3Head | YoloxHead | Yolov8Head, Field(discriminator="kind")]
    score_threshold: Share
    overlap_threshold: Share
    """Of two boxes with a larger intersection over union the weaker one is dropped."""
    groups: dict[str, tuple[str, ...]] = {}
    """Classes that are names for one thing, such as car, truck and bus: one box of the group at a place."""
    classes: Annotated[tuple[Text, ...], Field(min_length=1)]
    measured: tuple[Measured, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes: a name appears twice")
        for group, members in self.groups.items():
            unknown = [member for member in members if member not in self.classes]
            if unknown or not members:
                raise ValueError(f"groups: {group} names {', '.join(unknown) or 'nothing'}, not among the classes")
        return self


def read_card(path: Path) -> ModelCard:
    """The card in a YAML file, its model file resolved against the card's folder. Raises BadModelCard."""
    try:
        card = ModelCard.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadModelCard(f"{path}: cannot be read as a model card: {_one_line(error)}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadModelCard(f"{path}: {where + ': ' if where else ''}{first['msg']}") from None
    return card.model_copy(update={"file": (path.parent / card.file).resolve()})


def card_names() -> tuple[str, ...]:
    """The names of the cards that ship with the product, sorted."""
    return tuple(sorted(path.stem for path in CARDS.glob("*.yaml")))


def load_card(name: str) -> ModelCard:
    """The shipped card of that name. Raises UnknownModel with the nearest name, or BadModelCard."""
    names = card_names()
    if name not in names:
        nearest = difflib.get_close_matches(name, names, n=1)
        suggestion = f"; did you mean {nearest[0]}?" if nearest else ""
        raise UnknownModel(f"no model called {name!r}{suggestion} (there is: {', '.join(names)})")
    return read_card(CARDS / f"{name}.yaml")


def find_card(name: str, folder: Path) -> ModelCard:
    """The shipped card of that name, or the card in a YAML file, its path relative to `folder`.

    Raises UnknownModel or BadModelCard.
    """
    if name.endswith((".yaml", ".yml")):
        return read_card(folder / Path(name).expanduser())
    return load_card(name)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
