"""The centre's processes as the bench sees them: forked by `center.mortal`, killed, told to die, started again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.ending import end_with_parent
from edge.bench.delivery.orders import write_line

LOG_FILE = "centre.log"


class Office:
    """One process of the centre, by its command, in a program that can be told to die at a write."""

    def __init__(self, name: str, words: Sequence[str], cradle: "Cradle") -> None:
        self.name = name
        self.shall_live = False
        """Whether its end, if it comes now, is none of the bench's doing."""
        self.code: int | None = None
        """How it ended."""
        self._words = words
        self._cradle = cradle
        self._pid: int | None = None
        self._born = asyncio.Event()
        self._ended = asyncio.Event()
        self._changing = asyncio.Lock()
        cradle.offices[name] = self

    @property
    def pid(self) -> int:
        """The process's number. Raises ProcessLookupError when there is none."""
        if self._pid is None:
            raise ProcessLookupError
        return self._pid

    @property
    def runs(self) -> bool:
        """Whether it lives."""
        return self._pid is not None

    async def start(self) -> None:
        """Begin; it may take seconds until it serves."""
        async with self._changing:
            await self._start()
            self.shall_live = True

    async def _start(self) -> None:
        self._born.clear()
        self._ended.clear()
        boundaries, out = self._cradle.file(f"{self.name}.boundaries"), self._cradle.file(f"{self.name}.out")
        clock = self._cradle.file(f"{self.name}.clock")
        files = {"boundaries": str(boundaries), "clock": str(clock), "out": str(out)}
        await self._cradle.tell({"id": self.name, "words": list(self._words), **files})
        await self._born.wait()

    async def kill(self) -> None:
        """Kill it (-9); returns when nothing is left of it."""
        async with self._changing:
            self.shall_live = False
            if self._pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
                await self._ended.wait()

    async def wait(self) -> None:
        """Until it has ended."""
        if self._pid is not None:
            await self._ended.wait()

    async def revive(self) -> bool:
        """Start it if it has ended by itself; whether it had."""
        async with self._changing:
            if self.runs or not self.shall_live:
                return False
            await self._start()
            return True

    def doom(self, boundaries: int) -> None:
        """Let it pass so many of its writes, and die at the last. Raises ProcessLookupError."""
        self.shall_live = False
        self._cradle.file(f"{self.name}.boundaries").write_text(str(boundaries), encoding="ascii")
        os.kill(self.pid, signal.SIGUSR1)

    def set_clock(self, ahead_s: float) -> None:
        """Have its machine's clock so far ahead, or right again at 0. Raises ProcessLookupError."""
        self._cradle.file(f"{self.name}.clock").write_text(str(ahead_s), encoding="ascii")
        os.kill(self.pid, signal.SIGUSR2)

    def hear_of(self, *, pid: int | None = None, code: int | None = None) -> None:
        """It has begun, or ended."""
        self._pid, self.code = pid, code
        (self._ended if pid is None else self._born).set()


class Cradle:
    """The process that has the centre imported and forks its processes; with it all of them end."""

    def __init__(self, folder: Path) -> None:
        self.offices: dict[str, Office] = {}
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def file(self, name: str) -> Path:
        """Where something of one of its processes stands."""
        return self._folder / name

    async def start(self) -> None:
        """Begin importing."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "center.mortal",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=end_with_parent,
        )
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep_log())]

    async def tell(self, order: Mapping[str, object]) -> None:
        """Raises NothingToMeasure when it has died."""
        if self._process is None or self._process.stdin is None or self._process.returncode is not None:
            raise NothingToMeasure(f"the process from which the centre's are forked has ended: {self.last_words()}")
        self._process.stdin.write(write_line(order))
        await self._process.stdin.drain()

    async def command(self, *words: str) -> str:
        """Run a `teawatch` command; what it printed. Raises NothingToMeasure where it failed."""
        office = Office(f"command-{len(self.offices)}", words, self)
        await office.start()
        await office.wait()
        out = self.file(f"{office.name}.out")
        printed = out.read_text(encoding="utf-8")
        out.unlink()
        if office.code:
            raise NothingToMeasure(f"teawatch {' '.join(words[:2])}: {self.last_words()}")
        return printed

    def last_words(self) -> str:
        """The last complaint of any of its processes."""
        with suppress(OSError):
            lines = self.file(LOG_FILE).read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if lines:
                return lines[-1][:500]
        return "it said nothing"

    async def close(self) -> None:
        """Kill it."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await asyncio.gather(*self._tasks)

    async def _listen(self) -> None:
        while self._process and self._process.stdout and (line := await self._process.stdout.readline()):
            news = json.loads(line)
            self.offices[news.pop("id")].hear_of(**news)
        for office in self.offices.values():
            office.hear_of()

    async def _keep_log(self) -> None:
        with self.file(LOG_FILE).open("ab") as log:
            while self._process and self._process.stderr and (data := await self._process.stderr.read(65536)):
                log.write(data)
                log.flush()
