"""What happens in a made film, and what somebody who looked at some moments of it has missed."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from edge.boxes import Box

SHOWN = 0.5
"""From this share of the thing's largest visible area on it counts as shown: nobody recognises a sleeve at the edge."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The thing in one picture: its visible part's box, and how much is visible as a share of the event's most."""

    time_s: float
    box: Box
    visible: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One moving thing's visit, from its first visible pixel to its last; one sighting for each picture it is in.

    `what` is the class's name (`person`, `car`, …), `way` how it comes and goes. `contrast` is the difference in levels
    between its mean luma and that of what it covers; `height` its full height as a share of the picture's.
    `between_keys`: none of its pictures is a key frame.
    """

    number: int
    what: str
    way: str
    height: float
    contrast: float
    between_keys: bool
    track: tuple[Sighting, ...]

    @property
    def start_s(self) -> float:
        """Time of the first picture with it."""
        return self.track[0].time_s

    @property
    def end_s(self) -> float:
        """Time of the last picture with it."""
        return self.track[-1].time_s

    def shown(self, share: float = SHOWN) -> tuple[Sighting, ...]:
        """The sightings in which it can be recognised."""
        return tuple(sighting for sighting in self.track if sighting.visible >= share)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmTruth:
    """All that happens in one film; lies beside it as JSON. Nothing else in it moves, weather apart.

    `rate` is pictures per second, `gop` pictures from one key frame to the next, `size_px` width and height.
    """

    scene: str
    weather: str
    seconds: float
    rate: int
    gop: int
    size_px: tuple[int, int]
    seed: int
    events: tuple[Event, ...]

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_bytes(TypeAdapter(FilmTruth).dump_json(self))

    @classmethod
    def load(cls, path: Path) -> "FilmTruth":
        """Read what `save` wrote."""
        return TypeAdapter(FilmTruth).validate_json(path.read_bytes())


def missed(events: Iterable[Event], looked_s: Iterable[float], *, tolerance_s: float = 1e-3) -> list[Event]:
    """Events of which no picture that shows enough of the thing was looked at; `looked_s` are times in the film.

    `tolerance_s` allows for rounded time stamps and must be smaller than half a picture's duration.
    """
    looks = sorted(looked_s)
    return [event for event in events if not any(_near(looks, seen.time_s, tolerance_s) for seen in event.shown())]


def _near(times_s: Sequence[float], time_s: float, tolerance_s: float) -> Sequence[float]:
    """Those of the sorted times that are no further than the tolerance."""
    first = bisect_left(times_s, time_s - tolerance_s)
    last = bisect_left(times_s, time_s + tolerance_s)
    return times_s[first:last]
