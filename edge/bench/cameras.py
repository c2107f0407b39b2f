"""Cameras of the bench's own: real RTSP servers, each a process that can be stalled, killed and started again."""

import secrets
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

SCRIPT = Path(__file__).with_name("rtsp_server.py")
PYTHON = "/usr/bin/python3"
PACKAGES = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-rtsp gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
)


class CamerasUnavailable(Exception):
    """This machine cannot serve cameras. The message says what to install."""


class CameraServer:
    """One RTSP server on 127.0.0.1, from `start` to `kill`; a context manager that starts and kills it.

    `options` are the words after the port of `rtsp_server.py`: user and password, `--film`, `--mounts`, …
    """

    def __init__(self, *options: str, port: int | None = None) -> None:
        self.options = options
        self.port = port or free_port()
        self._may_move = port is None
        self._process: subprocess.Popen[str] | None = None

    def start(self, *options: str) -> None:
        """Listen; returns when a client may come. Raises CamerasUnavailable. `options` replace those of before.

        A free port that somebody else took before the first start is given up for another one.
        """
        self.options = options or self.options
        reason = self._listen()
        while reason and self._may_move and reason.endswith("is in use"):
            self.port = free_port()
            reason = self._listen()
        if reason:
            raise _unavailable(reason)
        self._may_move = False

    def _listen(self) -> str:
        """Why it cannot; empty if it does."""
        with tempfile.TemporaryFile(mode="w+") as errors:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own script
                    [PYTHON, "-I", str(SCRIPT), str(self.port), *self.options],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                )
            except OSError as error:
                return f"{PYTHON} cannot be run: {error.strerror}"
            if self._read() != "ready":
                self.kill()
                errors.seek(0)
                return (errors.read().strip().splitlines() or ["no reason given"])[-1]
        return ""

    def tell(self, command: str) -> None:
        """Give a command as listed in `rtsp_server.py`; returns when it was carried out."""
        if self._process is None or self._process.stdin is None:
            raise RuntimeError("the server does not run")
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        answer = self._read()
        if answer != "done":
            raise ValueError(f"{command}: {answer}")

    def kill(self) -> None:
        """As a power cut does: no connection is closed in good order."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def url(self, path: str = "main", login: str = "", scheme: str = "rtsp") -> str:
        """Address of one of its cameras; `login` is `user:password@`."""
        return f"{scheme}://{login}127.0.0.1:{self.port}/{path}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _read(self) -> str:
        return self._process.stdout.readline().strip() if self._process and self._process.stdout else ""


def _unavailable(reason: str) -> CamerasUnavailable:
    return CamerasUnavailable(f"no RTSP server ({reason}); apt-get install {PACKAGES}")


def free_port() -> int:
    """A port of this machine that nobody listens on, below those the system gives away by itself."""
    for _ in range(100):
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CamerasUnavailable("no free port between 20000 and 32000")
