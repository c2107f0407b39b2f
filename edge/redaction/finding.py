"""Where a picture tells who somebody is: faces, heads of people, number plates.

The networks see little of what is far away, so a picture is looked at whole and in overlapping parts, each level half
the size of the one before, until a part fills a network's input pixel by pixel. Scores may be low: what is covered in
vain costs a patch of a copy, what is missed cannot be taken back. Things are missed all the same, so a person looks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np

from alerts.redaction import What
from models.cards import ModelCard, load_card
from models.detections import Detections
from models.detector import Detector
from models.letterbox import Floats, Pixels, size_of
from models.suppression import suppress

MOST_PARTS: Final = 2700
"""Of a level with more parts than this nothing is looked at: the time of a look has an end.

Pictures of 6000 by 4000 pixels are just looked at to the finest.
"""

HEAD_PER_WIDTH: Final = 0.6
LEAST_HEAD: Final = 0.33
LYING: Final = 1.3
"""Of a person's box: how much of its height the head may take for each width, at least, and when it may be anywhere.

Standing people are two to three times as tall as wide and the head is the upper seventh; of who is seen from the
shoulders up it is most of the box; of who lies or bends it can be at either end.
"""


class Margin(NamedTuple):
    """By how much of its own size a place is widened to each side."""

    sideways: float
    upwards: float
    downwards: float


MARGINS: Final[Mapping[What, Margin]] = {
    What.FACE: Margin(0.3, 0.6, 0.35),
    What.HEAD: Margin(0.1, 0.15, 0.0),
    What.PLATE: Margin(0.15, 0.3, 0.3),
}
"""A network's box ends at brows and chin, and now and then short of a plate's last letter."""


@dataclass(frozen=True, slots=True)
class Search:
    """For what is searched with which network: only for `class_name` of its classes, from `score` on.

    `enlarged`: by so much the finest parts of a picture are enlarged for it.
    """

    what: What
    model: str
    class_name: str
    score: float
    enlarged: int = 1


SEARCHES: Final = (
    Search(What.FACE, "blazeface", "face", 0.5, enlarged=2),
    Search(What.HEAD, "yolov3_tiny", "person", 0.2),
    Search(What.PLATE, "clp_plate", "number plate", 0.3),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A place to be covered, margin included: left, top, right, bottom in pixels, within the picture."""

    what: What
    corners: tuple[int, int, int, int]
    score: float


class Finder:
    """The networks of every search, loaded and checked against their cards."""

    def __init__(self, eyes: Mapping[Search, Detector]) -> None:
        self._eyes = eyes

    @property
    def cards(self) -> Mapping[What, ModelCard]:
        """Which network looks for what."""
        return {search.what: detector.card for search, detector in self._eyes.items()}

    @classmethod
    def load(cls) -> Self:
        """Raises ModelError where one is missing or is not the one its card describes."""
        return cls({search: Detector.load(load_card(search.model)) for search in SEARCHES})

    def coarse(self, picture: Pixels) -> tuple[What, ...]:
        """For what the finest parts of a picture are not looked at, as there are too many: small ones may be missed."""
        width, height = size_of(picture)
        return tuple(
            search.what
            for search, detector in self._eyes.items()
            if is_cut_short(width, height, _least_px(detector, search))
        )

    def find(self, picture: Pixels) -> Iterator[Found]:
        """Everything that is to be covered, kind by kind, the surest first."""
        width, height = size_of(picture)
        for search, detector in self._eyes.items():
            seen = _look(detector, picture, search)
            for box, score in zip(seen.boxes, seen.scores, strict=True):
                place = _head_of(box) if search.what is What.HEAD else box
                yield Found(search.what, _widened(place, MARGINS[search.what], width, height), float(score))


def parts_of(width: int, height: int, least_px: int) -> Iterator[tuple[int, int, int, int]]:
    """The picture whole, then in squares that overlap by half: left, top, right, bottom.

    >>> list(parts_of(400, 200, 200))
    [(0, 0, 400, 200), (0, 0, 200, 200), (100, 0, 300, 200), (200, 0, 400, 200)]
    """
    yield 0, 0, width, height
    for side in _sides(width, height, least_px):
        lefts, tops = _starts(width, side), _starts(height, side)
        if len(lefts) * len(tops) > MOST_PARTS:
            return
        for top in tops:
            for left in lefts:
                yield left, top, min(left + side, width), min(top + side, height)


def is_cut_short(width: int, height: int, least_px: int) -> bool:
    """Whether `parts_of` leaves a level out.

    >>> is_cut_short(6000, 4000, 128), is_cut_short(8000, 6000, 128)
    (False, True)
    """
    return any(
        len(_starts(width, side)) * len(_starts(height, side)) > MOST_PARTS for side in _sides(width, height, least_px)
    )


def _sides(width: int, height: int, least_px: int) -> Iterator[int]:
    side = max(width, height) // 2
    while side >= least_px:
        yield side
        side //= 2


def _starts(length: int, side: int) -> list[int]:
    """Where parts of this side begin, so that each overlaps the next by half at least and the last ends at the end."""
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side / 2))) + 1
    return [round(each) for each in np.linspace(0, length - side, count).tolist()]


def _least_px(detector: Detector, search: Search) -> int:
    """The side of the smallest part that is worth a look."""
    return detector.card.input.size_px // search.enlarged


def _look(detector: Detector, picture: Pixels, search: Search) -> Detections:
    """What is there of a kind, once each, in pixels of the picture."""
    wanted = detector.class_names.index(search.class_name)
    width, height = size_of(picture)
    seen = []
    for left, top, right, bottom in parts_of(width, height, _least_px(detector, search)):
        found = detector.detect(picture[top:bottom, left:right], score_threshold=search.score)
        found = found.where(found.classes == wanted)
        offset = np.array([left, top, left, top], np.float32)
        seen.append(Detections(found.boxes + offset, found.scores, found.classes))
    everything = Detections(
        np.concatenate([each.boxes for each in seen]),
        np.concatenate([each.scores for each in seen]),
        np.concatenate([each.classes for each in seen]),
    )
    groups = np.arange(len(detector.class_names), dtype=np.int64)
    return suppress(everything, groups, detector.card.overlap_threshold)


def _head_of(person: Floats) -> Floats:
    """Where the head of somebody is who fills this box."""
    left, top, right, bottom = person
    width, height = right - left, bottom - top
    if width > LYING * height:
        return person
    share = min(1.0, max(LEAST_HEAD, HEAD_PER_WIDTH * width / height))
    return np.array([left, top, right, top + share * height], np.float32)


def _widened(box: Floats, margin: Margin, width: int, height: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = (float(each) for each in box)
    wide, tall = right - left, bottom - top
    return (
        max(0, int(np.floor(left - margin.sideways * wide))),
        max(0, int(np.floor(top - margin.upwards * tall))),
        min(width, int(np.ceil(right + margin.sideways * wide))),
        min(height, int(np.ceil(bottom + margin.downwards * tall))),
    )
