"""Whatever a file holds, playing it ends, nothing crashes, and the camera says what is wrong with it."""

import io
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from streams.player import State
from tests.streams.damaged_films import PICTURES, Lab, Recipe, bits_flipped, recipes

ROOT = Path(__file__).parents[2]
LIMIT_S = 100


@dataclass(frozen=True)
class Played:
    """What came out of one file, as `damage_lab` tells it."""

    file: str
    has_ended: bool
    told: list[tuple[str, str]]
    damaged: int
    sizes: list[tuple[int, int]]
    longest_step_s: float
    threads: list[str]
    packets: int
    images: int

    @property
    def states(self) -> list[str]:
        return [state for state, _ in self.told]

    @property
    def last_reason(self) -> str:
        return next((reason for _, reason in reversed(self.told) if reason), "")


def play(paths: list[Path]) -> dict[str, Played | None]:
    """Each by its path; None for a file that killed the process, after which the rest is played in a new one."""
    played: dict[str, Played | None] = {}
    rest = [str(path) for path in paths]
    while rest:
        command = [sys.executable, "-m", "tests.streams.damage_lab", *rest]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S, check=False)
        lines = done.stdout.splitlines()
        for line in lines[1::2]:
            result = Played(**json.loads(line))
            played[result.file] = result
        if len(lines) % 2:
            played[lines[-1]] = None
        elif len(lines) < 2 * len(rest):
            pytest.fail(f"the player's process ended with {done.returncode} between two files")
        rest = rest[(len(lines) + 1) // 2 :]
    return played


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("damage"))


@pytest.fixture(scope="module")
def corpus(lab: Lab) -> dict[str, Played | None]:
    """Every damaged file, played."""
    paths = {name: recipe(lab) for name, recipe in {**recipes(), **ODD}.items()}
    played = play(list(paths.values()))
    return {name: played[str(path)] for name, path in paths.items()}


@pytest.mark.parametrize("name", recipes())
def test_a_damaged_file_is_played_to_an_end_with_a_word_about_it(name: str, corpus: dict[str, Played | None]) -> None:
    played = corpus[name]
    assert played is not None, "the process crashed"
    assert played.has_ended
    assert played.threads == []
    assert played.states[-1] in {State.ENDED, State.FAILED}
    assert played.images <= PICTURES
    if played.states[-1] == State.FAILED:
        told = r"(is not a video|has no index|cannot be read|has no key frame|is damaged)"
        assert re.fullmatch(rf"camera cam: /\S+ {told}.*; .+", played.last_reason)
    else:
        assert played.images > 0 or played.damaged > 0
    # 300 pictures take 12 s; a third of them spoilt is said.
    if played.packets > 200 and played.damaged > 100:
        assert State.DEGRADED in played.states
        assert re.search(r": \d+% of its packets are damaged; check ", " ".join(r for _, r in played.told))


def _concatenated(*containers_sizes: tuple[int, int]) -> Recipe:
    def make(lab: Lab) -> Path:
        parts = [lab.film("ts", pictures=100, size_px=size).read_bytes() for size in containers_sizes]
        return lab.file(f"joined{len(parts)}.ts", b"".join(parts))

    return make


def _jumping(lab: Lab) -> Path:
    """An hour forwards in the middle of the file, then back to the beginning."""
    late = lab.film("ts", pictures=100, times=lambda number: number + 90_000).read_bytes()
    early = lab.film("ts", pictures=100).read_bytes()
    return lab.file("jumping.ts", early + late + early)


def _bare(lab: Lab) -> Path:
    """The elementary stream alone: no time stamp anywhere."""
    return lab.film("h264", pictures=100)


def _keyless(lab: Lab) -> Path:
    """More than a minute from the only key frame to the end."""
    return lab.film("mkv", pictures=630, rate=10, gop=5000)


def _beheaded(lab: Lab) -> Path:
    """No key frame at all: what a camera sends between two of them."""
    content = lab.film("ts", pictures=100, gop=5000).read_bytes()
    return lab.file("beheaded.ts", content[len(content) // 4 // 188 * 188 :])


def _spoilt_pictures(lab: Lab) -> Path:
    """Key frames are where the container says, and nothing in them."""
    content = lab.film("mkv", pictures=100, codec="mjpeg").read_bytes()
    with av.open(io.BytesIO(content)) as container:
        for packet in container.demux(video=0):
            content = content.replace(bytes(packet), b"\xff" * packet.size) if packet.size else content
    return lab.file("spoilt.mkv", content)


ODD: dict[str, Recipe] = {
    "two sizes": _concatenated((160, 96), (320, 192)),
    "three sizes": _concatenated((320, 192), (160, 96), (320, 192)),
    "jumping times": _jumping,
    "no times": _bare,
    "no key for a minute": _keyless,
    "no key": _beheaded,
    "200 a second": lambda lab: lab.film("mkv", pictures=1400, rate=200, size_px=(64, 48)),
    "one in ten seconds": lambda lab: lab.film("mkv", pictures=8, times=lambda number: number * 10 * 25),
    "spoilt pictures": _spoilt_pictures,
    "8K": lambda lab: lab.film("mp4", pictures=1, size_px=(7680, 4320), codec="mjpeg"),
    "cut off": lambda lab: lab.file("cut.mp4", lab.film("mp4").read_bytes()[:-20_000]),
    "empty": lambda lab: lab.file("empty.mp4", b""),
    "page": lambda lab: lab.file("page.mp4", b"<!doctype html><html><body>Sign in</body></html>"),
    "text": lambda lab: lab.file("text.mp4", b"Nothing to see here.\n" * 500),
    "zeros": lambda lab: lab.file("zeros.mp4", bytes(100_000)),
    "noise": lambda lab: lab.file("noise.mp4", bits_flipped(bytes(100_000), 0.5, 1)),
}


@pytest.fixture
def odd(request: pytest.FixtureRequest, corpus: dict[str, Played | None]) -> Played:
    played = corpus[request.param]
    assert played is not None, "the process crashed"
    assert played.has_ended
    return played


@pytest.mark.parametrize(
    ("odd", "sizes"),
    [("two sizes", [[160, 96], [320, 192]]), ("three sizes", [[320, 192], [160, 96]])],
    indirect=["odd"],
)
def test_a_picture_that_changes_its_size_goes_on(odd: Played, sizes: list[list[int]]) -> None:
    assert odd.sizes == sizes
    assert odd.images >= 190
    assert odd.states == [State.CONNECTING, State.PLAYING, State.ENDED]


@pytest.mark.parametrize("odd", ["jumping times", "no times"], indirect=True)
def test_stream_time_neither_jumps_nor_stands_where_time_stamps_do(odd: Played) -> None:
    assert odd.images >= 90
    assert 0 < odd.longest_step_s < 61


@pytest.mark.parametrize(
    ("odd", "reason"),
    [("no key for a minute", "no key frame for 60 s"), ("200 a second", r"it sends \d+ pictures a second")],
    indirect=["odd"],
)
def test_a_camera_set_up_badly_is_watched_and_says_what_to_change(odd: Played, reason: str) -> None:
    assert odd.images == odd.packets
    assert odd.states == [State.CONNECTING, State.PLAYING, State.DEGRADED, State.ENDED]
    assert re.search(reason, odd.last_reason)


@pytest.mark.parametrize("odd", ["one in ten seconds"], indirect=True)
def test_a_very_slow_film_is_played_whole(odd: Played) -> None:
    assert (odd.images, odd.longest_step_s) == (8, 10.0)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ("8K", r"sends pictures of 7680x4320, more than the limit of \d+ pixels; use the camera's sub stream"),
        ("no key", "has no key frame, so none of its pictures can be decoded; cut it at key frames"),
        ("spoilt pictures", "is damaged: none of its pictures can be decoded; "),
        ("cut off", r"has no index \(moov\): it was cut off while it was written or copied; copy it again"),
        ("empty", "is not a video"),
        ("page", "is not a video"),
        ("text", "is not a video"),
        ("zeros", "is not a video"),
        ("noise", "is not a video"),
    ],
    indirect=["odd"],
)
def test_what_cannot_be_played_is_refused_with_the_reason(odd: Played, reason: str) -> None:
    assert odd.states[-1] == State.FAILED
    assert re.search(reason, odd.last_reason)
    assert odd.images == 0
