"""A made-up street before made-up cameras: what each look finds broken, without a picture having to be understood.

It stands in for cameras, detector and rules, so that a hundred lives of a box cost no more than their writing.
"""

import random
import time
from collections.abc import Iterator
from datetime import datetime

import numpy as np

from alerts.messages import Clause, Model
from edge.boxes import Box
from edge.incidents import Key, Moment
from edge.reporting import Witness
from edge.rules import RULES
from edge.rules.base import Sighting, Violation
from edge.watch import Look, Post
from edge.zones import Zone
from streams.frames import Frame, Picture

PLACES = tuple(Box(x / 4, y / 2, x / 4 + 0.2, y / 2 + 0.4) for x in range(4) for y in range(2))
STEP_S = 2.0
"""Stream time from one look to the next: incidents open and close within a few looks."""

CLOSE_AFTER_S = 3.0
COMES = 0.02
"""How likely something comes to an empty place from one look to the next."""

LONGEST_STAY = 5
COUNTS = (1, 1, 1, 2)
PICTURE_PX = (64, 96)
RULE = "stationary"
WITNESS = Witness(footage="recording", model=Model(name="made-up", sha256="a" * 64), config_sha256="b" * 64)

_WHOLE = Zone("everything", [(0, 0), (1, 0), (1, 1), (0, 1)])


def post_of(camera: str) -> Post:
    """The one rule of a camera."""
    kind = RULES[RULE]
    rule = kind(_WHOLE, kind.parameters_type(dwell_s=STEP_S, close_after_s=CLOSE_AFTER_S))
    return Post(Key(camera, RULE, _WHOLE.id, kind.kinds[0]), rule)


class World:
    """What stands before one camera. Each look is a step of `STEP_S`; the chances come from `seed`."""

    def __init__(self, camera: str, seed: int) -> None:
        self.camera = camera
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._looks = 0
        self._standing: dict[int, int] = {}
        self._since: dict[int, float] = {}

    def look(self, utc: datetime) -> Look:
        """The next look, at this wall clock."""
        self._looks += 1
        stream_s = self._looks * STEP_S
        self._move(stream_s)
        found = tuple(self._violations(stream_s))
        frame = Frame(
            picture=self._picture(),
            camera=self.camera,
            index=self._looks,
            stream_s=stream_s,
            monotonic_s=time.monotonic(),
            utc=utc,
        )
        sightings = tuple(each for violation in found for each in violation.objects)
        return Look(frame, Moment(stream_s, 0.0, utc, stream_s), sightings, {RULE: found})

    def _move(self, stream_s: float) -> None:
        for place in range(len(PLACES)):
            left = self._standing.get(place, 0)
            if left > 1:
                self._standing[place] = left - 1
            elif left == 1:
                del self._standing[place]
            elif self._chance.random() < COMES:
                self._standing[place] = self._chance.randint(1, LONGEST_STAY)
                self._since[place] = stream_s

    def _violations(self, stream_s: float) -> Iterator[Violation]:
        for place in sorted(self._standing):
            box = PLACES[place]
            lasted_s = stream_s - self._since[place]
            count = self._chance.choice(COUNTS)
            yield Violation(
                objects=tuple(Sighting(place, "car", 0.8, box) for _ in range(count)),
                clauses=(
                    Clause(
                        name="standing_time", holds=True, measured=round(1000 * lasted_s), threshold=1000, unit="ms"
                    ),
                ),
                place=box,
                lasted_s=lasted_s,
                since_stream_s=self._since[place],
            )

    def _picture(self) -> Picture:
        """Never the same twice, so that each has a hash of its own."""
        height, width = PICTURE_PX
        return np.frombuffer(self._chance.randbytes(height * width * 3), np.uint8).reshape(height, width, 3)
