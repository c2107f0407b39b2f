"""A USB camera for tests, made in user space: see `usb/camera.c` for what it does and how it is told."""

import atexit
import os
import shutil
import struct
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import av
import cv2

NODE = "/dev/video9"
METADATA = "/dev/video10"
NAMED = "/dev/v4l/by-id/usb-TeaWatch_Test_Camera-video-index0"
PACKAGES = ("gcc", "libc6-dev", "linux-libc-dev")

_SOURCES = Path(__file__).parent / "usb"


class UsbCamera:
    """What is plugged in, for processes that are started with its `environment`; `tell` works while they run."""

    def __init__(self, folder: Path, films: Mapping[str, Iterable[bytes]]) -> None:
        """`films` by `FOURCC-WIDTHxHEIGHT-RATE,RATE,…`, filmed at the first of the rates; the last is its default."""
        self._folder = folder
        folder.mkdir(exist_ok=True)
        for name, pictures in films.items():
            (folder / name).write_bytes(b"".join(struct.pack("=I", len(each)) + each for each in pictures))

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "LD_PRELOAD": str(_library()), "USB_CAMERA": str(self._folder)}

    def tell(self, *words: str) -> None:
        """Be `gone`, `busy`, `denied`, `silent`, `corrupt`; without words: be well."""
        told = self._folder / "told"
        told.write_text(" ".join(words))
        told.rename(self._folder / "control")


def footage(path: Path, count: int, *, every_nth: int = 1) -> list[av.VideoFrame]:
    """The first pictures of a film."""
    with av.open(str(path)) as container:
        frames = (frame for number, frame in enumerate(container.decode(video=0)) if number % every_nth == 0)
        return [frame for frame, _ in zip(frames, range(count), strict=False)]


def as_jpeg(frames: Iterable[av.VideoFrame]) -> list[bytes]:
    """As a webcam's own encoder makes them."""
    return [cv2.imencode(".jpg", frame.to_ndarray(format="bgr24"))[1].tobytes() for frame in frames]


def as_yuyv(frames: Iterable[av.VideoFrame], width: int, height: int) -> list[bytes]:
    """As a webcam's sensor gives them."""
    return [frame.reformat(width, height, "yuyv422").to_ndarray().tobytes() for frame in frames]


@cache
def _library() -> Path:
    folder = Path(mkdtemp(prefix="usb-camera-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = folder / "camera.so"
    sources = sorted(map(str, _SOURCES.glob("*.c")))
    command = ["gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(made), *sources]
    subprocess.run(command, check=True, timeout=60)
    return made
