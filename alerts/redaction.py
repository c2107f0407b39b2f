"""What a redaction tells of itself: which picture, which copy, what was covered, and by which networks it was found.

Written by `teawatch edge redact`, read by the centre that had it run.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from alerts.messages import Box, FrameSize, Message, Model, Sha256

MOST_PLACES: Final = 4096
MOST_BY_HAND: Final = 100


class What(StrEnum):
    """Why a place is covered."""

    FACE = "face"
    HEAD = "head"  # of somebody whose body was found, whether or not a face can be seen
    PLATE = "plate"
    BY_HAND = "by_hand"


class Covered(Message):
    """A rectangle that was filled, in pixels of the upright picture; `score_permille` is absent where a person drew it.

    The rectangle is the one that was filled: larger than what was found, by the margin.
    """

    what: What
    box: Box
    score_permille: Annotated[int, Field(ge=0, le=1000)] | None = None


class Redaction(Message):
    """What was made of which picture. `models`: which network looked for each kind, also in vain.

    `coarse`: for these kinds the finest parts of a very large picture were not looked at; small ones may be uncovered.
    """

    TYPE: ClassVar[str] = "teawatch.redaction.v1"

    original_sha256: Sha256
    copy_sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0, le=2**31)]
    media_type: Literal["image/jpeg"] = "image/jpeg"
    frame: FrameSize
    method: Literal["solid_fill"] = "solid_fill"
    covered: Annotated[tuple[Covered, ...], Field(max_length=MOST_PLACES)]
    models: dict[What, Model]
    coarse: Annotated[tuple[What, ...], Field(max_length=len(What))] = ()
