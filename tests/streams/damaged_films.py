"""A corpus of damaged and odd files, each made from a sound film by a recipe with a name."""

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np

CONTAINERS = ("mp4", "mkv", "ts", "avi")
PICTURES = 300
RATE = 25


@dataclass(frozen=True)
class Lab:
    """A folder for films; each sound one is made once."""

    folder: Path
    _made: dict[tuple[object, ...], Path] = field(default_factory=dict)

    def film(
        self,
        container: str = "mkv",
        *,
        pictures: int = PICTURES,
        size_px: tuple[int, int] = (160, 96),
        rate: int = RATE,
        codec: str = "libx264",
        gop: int = 25,
        times: Callable[[int], int] = lambda number: number,
    ) -> Path:
        """A scene in which a bright block moves; picture k is shown at `times(k)` in units of 1/rate s."""
        key = (container, pictures, size_px, rate, codec, gop, times(1), times(pictures - 1))
        if key not in self._made:
            path = self.folder / f"sound{len(self._made)}.{container}"
            _write(path, pictures, size_px, rate, codec, gop, times)
            self._made[key] = path
        return self._made[key]

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path


def _write(
    path: Path,
    pictures: int,
    size_px: tuple[int, int],
    rate: int,
    codec: str,
    gop: int,
    times: Callable[[int], int],
) -> None:
    columns, rows = size_px
    noise = np.random.default_rng(1).integers(0, 60, (rows, columns, 3)).astype(np.uint8)
    options = {"libx264": {"preset": "ultrafast", "tune": "zerolatency", "sc_threshold": "0"}}
    options["libx265"] = {"preset": "ultrafast", "x265-params": f"log-level=none:keyint={gop}"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options.get(codec, {}))
        stream.width, stream.height = columns, rows
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size = gop
        stream.codec_context.time_base = Fraction(1, rate)
        for number in range(pictures):
            picture = noise.copy()
            left = number * 3 % (columns - 20)
            picture[10:40, left : left + 20] = 230
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = times(number), Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def cut_off(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def bits_flipped(content: bytes, rate: float, seed: int, spare: int = 0) -> bytes:
    """Each bit behind the first `spare` bytes is flipped with that probability."""
    chance = random.Random(seed)
    damaged = bytearray(content)
    for _ in range(max(1, round((len(content) - spare) * 8 * rate))):
        damaged[chance.randrange(spare, len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def head_destroyed(content: bytes, length: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(length) + content[length:]


def blocks_zeroed(content: bytes, size: int, every: int) -> bytes:
    damaged = bytearray(content)
    for begin in range(every, len(damaged) - size, every):
        damaged[begin : begin + size] = bytes(size)
    return bytes(damaged)


def parameters_destroyed(content: bytes) -> bytes:
    """What a decoder is set up with, where the container keeps it, claims to be longer than it is."""
    with av.open(io.BytesIO(content)) as container:
        extradata = container.streams.video[0].codec_context.extradata or b""
    return content.replace(extradata, extradata[:8] + b"\xff" * (len(extradata) - 8)) if extradata else content


Recipe = Callable[[Lab], Path]


def _damages() -> dict[str, Callable[[bytes], bytes]]:
    """What is done to a film of each container."""
    return {
        **{f"cut off at {share:.1%}": partial(cut_off, share=share) for share in (0.02, 0.3, 0.6, 0.9, 0.999)},
        **{
            f"bits flipped {rate:g} seed {seed}": partial(bits_flipped, rate=rate, seed=seed)
            for rate in (1e-5, 1e-4, 1e-3, 1e-2)
            for seed in (1, 2)
        },
        **{
            f"first {length} bytes destroyed": partial(head_destroyed, length=length, seed=3)
            for length in (16, 200, 4000)
        },
        "words destroyed": lambda content: content.replace(b"Lav", b"\xe4\xc5\xff"),
        "blocks zeroed": partial(blocks_zeroed, size=512, every=8000),
    }


def recipes() -> dict[str, Recipe]:
    """Damage that leaves anything possible but a crash, a hang or silence about it."""
    damages = _damages()
    flipped = {f"bits flipped {rate:g}": partial(bits_flipped, rate=rate, seed=4) for rate in (1e-4, 1e-3)}
    destroyed = {"parameters destroyed": parameters_destroyed}
    table = [("libx264", container, damages) for container in CONTAINERS]
    table += [("libx265", "mkv", flipped), ("mjpeg", "mkv", flipped)]
    table += [(codec, container, destroyed) for codec in ("libx264", "libx265") for container in ("mp4", "mkv")]
    return {
        f"{codec} {container} {name}": _recipe(codec, container, name, damage)
        for codec, container, named in table
        for name, damage in named.items()
    }


def _recipe(codec: str, container: str, name: str, damage: Callable[[bytes], bytes]) -> Recipe:
    def make(lab: Lab) -> Path:
        content = lab.film(container, codec=codec).read_bytes()
        return lab.file(f"{codec}-{name.replace(' ', '-')}.{container}", damage(content))

    return make
