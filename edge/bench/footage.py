"""Films for the gate's bench: quiet scenes of real footage in which, now and then, something real moves.

Films, stages and cut-outs are made once and kept in a cache under the hash of all they were made from.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray

from edge.bench.actors import Actor
from edge.bench.cutouts import Cutout, cut_out
from edge.bench.events import FilmTruth
from edge.bench.stage import WHOLE, Crop, Picture, Stage, open_stage
from edge.bench.visits import longest_pause, plan_visits
from edge.bench.weather import Change, Weather, changes_of

CAMERA: Mapping[str, str] = {"preset": "veryfast", "tune": "zerolatency", "crf": "26"}
"""The encoder's options for what most cameras send: no B-frames, no looking ahead, steady quality."""

CAMERA_B: Mapping[str, str] = {"preset": "veryfast", "crf": "26", "bf": "2"}
"""A camera that sends B-frames."""

_EDITION = "3"
"""Part of every hash: films of an older edition of this package are made anew."""

_TIME_BASE = Fraction(1, 90_000)


@dataclass(frozen=True, slots=True)
class Actors:
    """A clip whose moving things visit, and what they are."""

    clip: Path
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where a film plays: the still parts of (a part of) a clip, and a weather.

    `is_restless` keeps what moves between the clip's own pictures of nothing. Most of that is the work of the encoder
    that once made the clip, not of a sensor; the weather's noise comes on top in either case.
    """

    clip: Path
    actors: tuple[Actors, ...]
    weather: Weather = Weather.CALM
    crop: Crop = WHOLE
    is_restless: bool = False

    def key(self) -> list[object]:
        """What a film depends on: contents of files, not their places."""
        actors = [[_digest(actors.clip), actors.what] for actors in self.actors]
        return [_digest(self.clip), actors, self.weather, self.crop, self.is_restless]


def cached_film(
    *,
    scene: Scene,
    events: int,
    seconds: float,
    seed: int,
    rate: int = 25,
    gop: int = 50,
    size_px: tuple[int, int] = (1280, 720),
    codec: str = "libx264",
    options: Mapping[str, str] = CAMERA,
) -> tuple[Path, FilmTruth]:
    """A film as `make_film` makes it, from the cache if it was made before."""
    name = _hash([scene.key(), events, seconds, seed, rate, gop, size_px, codec, dict(options)])
    path = cache_folder() / f"{name}.mp4"
    if path.exists() and truth_path(path).exists():
        return path, FilmTruth.load(truth_path(path))
    truth = make_film(
        path,
        scene=scene,
        events=events,
        seconds=seconds,
        seed=seed,
        rate=rate,
        gop=gop,
        size_px=size_px,
        codec=codec,
        options=options,
    )
    return path, truth


def make_film(
    path: Path,
    *,
    scene: Scene,
    events: int,
    seconds: float,
    seed: int,
    rate: int = 25,
    gop: int = 50,
    size_px: tuple[int, int] = (1280, 720),
    codec: str = "libx264",
    options: Mapping[str, str] = CAMERA,
) -> FilmTruth:
    """Write a quiet film with `events` visits in it to `path` (MP4), and the truth beside it; both appear whole.

    Key frames come every `gop` pictures and nowhere else. The same arguments give the same pictures. Height and width
    are multiples of 4. Raises ValueError if the events do not fit into the time.
    """
    rng = np.random.default_rng(seed)
    cutouts = [cutout for actors in scene.actors for cutout in _cached_cutouts(actors)]
    stage = _cached_stage(scene, size_px)
    count = round(seconds * rate)
    visits = plan_visits(events, count, cutouts, rng, rate=rate, gop=gop, size_px=size_px)
    actors = [Actor(visit, stage.still, rate=rate, size_px=size_px) for visit in visits]
    changes = changes_of(scene.weather, longest_pause(visits, count) / rate, size_px, rng)
    pictures = _pictures(
        stage if scene.is_restless else replace(stage, moments=stage.still[None]), actors, changes, count, rate
    )
    unfinished = path.with_suffix(f".{os.getpid()}.mp4")
    try:
        _encode(unfinished, pictures, rate=rate, gop=gop, size_px=size_px, codec=codec, options=options)
        truth = FilmTruth(
            scene=scene.clip.stem,
            weather=scene.weather,
            seconds=seconds,
            rate=rate,
            gop=gop,
            size_px=size_px,
            seed=seed,
            events=tuple(event for actor in actors if (event := actor.event())),
        )
        truth.save(truth_path(path))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return truth


def truth_path(film: Path) -> Path:
    """Where the truth about a film lies."""
    return film.with_suffix(".json")


def cache_folder() -> Path:
    """Where films are kept between runs: under `XDG_CACHE_HOME`, or `~/.cache`."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "teawatch" / "films"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _pictures(
    stage: Stage, actors: Sequence[Actor], changes: Sequence[Change], count: int, rate: int
) -> Iterator[Picture]:
    for number in range(count):
        picture = stage.at(number / rate)
        for actor in actors:
            actor.paint(picture, number)
        for change in changes:
            picture = change(picture, number / rate)
        yield picture


def _encode(
    path: Path,
    pictures: Iterator[Picture],
    *,
    rate: int,
    gop: int,
    size_px: tuple[int, int],
    codec: str,
    options: Mapping[str, str],
) -> None:
    fixed = f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0"
    extra = {"x265-params": f"{fixed}:log-level=error"} if codec == "libx265" else {"x264-params": fixed}
    with av.open(str(path), "w", format="mp4") as container:
        stream = cast("av.VideoStream", container.add_stream(codec, rate=rate, options={**options, **extra}))
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        stream.gop_size = gop
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = round(number / rate / _TIME_BASE), _TIME_BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _cached_stage(scene: Scene, size_px: tuple[int, int]) -> Stage:
    path = cache_folder() / f"stage-{_hash([_digest(scene.clip), size_px, scene.crop])}.npz"
    if not path.exists():
        stage = open_stage(scene.clip, size_px, scene.crop)
        _save(path, still=stage.still, moments=stage.moments, rate=np.array(stage.rate))
    with np.load(path) as content:
        return Stage(content["still"], content["moments"], float(content["rate"]))


def _cached_cutouts(actors: Actors) -> list[Cutout]:
    path = cache_folder() / f"cutouts-{_hash([_digest(actors.clip)])}.npz"
    if not path.exists():
        cutouts = cut_out(actors.clip, actors.what)
        rates = np.array([cutout.rate for cutout in cutouts])
        _save(path, rates=rates, **{f"cutout{number}": cutout.pictures for number, cutout in enumerate(cutouts)})
    with np.load(path) as content:
        return [
            Cutout(actors.what, float(rate), content[f"cutout{number}"]) for number, rate in enumerate(content["rates"])
        ]


def _save(path: Path, **arrays: NDArray[Any]) -> None:
    unfinished = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(unfinished, allow_pickle=False, **arrays)
    unfinished.replace(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps([_EDITION, *parts]).encode()).hexdigest()[:24]
