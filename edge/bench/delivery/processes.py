"""Processes of the bench: each ends when the bench does, whatever ends it, and its complaints go to a file."""

import asyncio
import os
import random
import shutil
import signal
import socket
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.ending import end_with_parent

LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000
"""Below those that Linux gives to clients: a server that comes back finds its port free."""

SERVER_FOLDERS = ("/usr/sbin", *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True))
"""Where Debian puts servers, beside the search path."""


def find_program(name: str) -> str | None:
    """Where this server's program is; None where it is not installed."""
    return shutil.which(name, path=os.pathsep.join((*SERVER_FOLDERS, os.environ.get("PATH", ""))))


def require_program(name: str, package: str) -> str:
    """The same. Raises NothingToMeasure, which names the Debian package."""
    found = find_program(name)
    if found is None:
        raise NothingToMeasure(f"{name} is not installed: apt-get install {package}")
    return found


def free_port() -> int:
    """A TCP port of this machine that nobody has now."""
    while True:
        port = random.randrange(LOWEST_PORT, HIGHEST_PORT)  # noqa: S311 - no secret
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Runner:
    """One program that may be started, killed and started again."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The process's number. Raises ProcessLookupError when there is none."""
        if self._process is None or self._process.returncode is not None:
            raise ProcessLookupError
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self, command: Sequence[str], *, user: str | None = None) -> None:
        """Start it; called in the main thread, with which it ends.

        What it writes comes through a pipe, so that no limit on its files reaches its log.
        """
        self._process = await asyncio.create_subprocess_exec(
            *command,
            user=user,
            cwd="/" if user else None,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            preexec_fn=end_with_parent,
        )
        self._reader = asyncio.create_task(self._write_log(self._process))

    async def kill(self) -> None:
        """Kill it (-9), and nothing of it left."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        await self.wait()

    async def wait(self) -> int:
        """Its exit code, once it and whoever shares its output have ended."""
        if self._process is None or self._reader is None:
            raise ProcessLookupError
        code = await self._process.wait()
        await self._reader
        return code

    def last_words(self) -> str:
        """The last line it wrote."""
        with suppress(OSError):
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if lines:
                return lines[-1][:500]
        return "it said nothing"

    async def _write_log(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        with self._log.open("ab") as log:
            while data := await process.stdout.read(65536):
                log.write(data)
                log.flush()
