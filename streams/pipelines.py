"""A GStreamer pipeline of the box's own configuration as something FFmpeg can read from."""

import os
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryFile

from streams.addresses import redacted_text
from streams.errors import AccessDenied, SourceUnreachable
from streams.failures import place, silent
from streams.frames import Camera

_CHILD = Path(__file__).with_name("pipeline_child.py")
_SLICE_S = 0.1
_LONGEST_MESSAGE = 300
_REMEDY = "correct it in the configuration; gst-launch-1.0 shows more of what is wrong"
_REFUSALS = ("Unauthorized", "Forbidden")
"""What GStreamer's sources of cameras say, in English always: words of RTSP and HTTP."""


class PipelineReader:
    """The Matroska stream of a pipeline in a child process; ends with it, with silence, and when told to stop.

    Read from one thread. `close` kills the child.
    """

    def __init__(self, camera: Camera, stopping: threading.Event) -> None:
        self._camera = camera
        self._stopping = stopping
        self._silent = False
        self._complaints = TemporaryFile()  # noqa: SIM115 - closed with the reader
        self._output, given = os.pipe()
        try:
            self._child = subprocess.Popen(  # noqa: S603 - no shell, and the pipeline is not among the arguments
                [sys.executable, "-I", str(_CHILD), str(given)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                pass_fds=(given,),
            )
        except OSError:
            self._complaints.close()
            os.close(self._output)
            raise
        finally:
            os.close(given)
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._output, selectors.EVENT_READ)
        self._say(camera.pipeline)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes as soon as there are any; nothing at the end, when stopping, or after long silence."""
        patient_until_s = time.monotonic() + self._camera.silence_s
        while not self._stopping.is_set():
            if self._ready.select(_SLICE_S):
                return os.read(self._output, size)
            if time.monotonic() > patient_until_s:
                self._silent = True
                break
        return b""

    def problem(self) -> SourceUnreachable | None:
        """Why nothing more came, if somebody knows. AccessDenied where the camera in it refused the password."""
        if self._silent:
            return silent(self._camera, self._camera.silence_s)
        self._child.kill()
        self._child.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        if not last or self._child.returncode != 1:
            return None
        told = redacted_text(last)[:_LONGEST_MESSAGE]
        remedy = "" if "; " in told else f"; {_REMEDY}"
        is_refused = any(word in last for word in _REFUSALS)
        kind = AccessDenied if is_refused else SourceUnreachable
        return kind(f"{place(self._camera)} fails: {told}{remedy}")

    def close(self) -> None:
        """End the child. Closing twice is allowed."""
        self._child.kill()
        self._child.wait()
        if self._child.stdin and not self._child.stdin.closed:
            self._child.stdin.close()
            self._ready.close()
            self._complaints.close()
            os.close(self._output)

    def _say(self, text: str) -> None:
        if self._child.stdin:
            try:
                self._child.stdin.write(text.encode() + b"\0")
                self._child.stdin.flush()
            except BrokenPipeError:  # it is gone already, and has said why
                return
