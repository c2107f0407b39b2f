"""Boxes of this bench as processes that are spoken to, and which cores processes may use."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.ending import end_with_parent
from edge.bench.racing import ONE_THREAD

ANSWER_S = 300.0
LINE_BYTES = 2**24


@dataclass(frozen=True, slots=True)
class Cores:
    """One core for what is measured, the others for all that serves it; on a machine with one core the same."""

    measured: frozenset[int]
    others: frozenset[int]

    @classmethod
    def of_this_machine(cls) -> "Cores":
        """Of those this process may use."""
        cores = sorted(os.sched_getaffinity(0))
        return cls(frozenset(cores[-1:]), frozenset(cores[:-1] or cores))


class Spoken:
    """A process of ours that answers in JSON lines with an `event`, and waits for lines."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    async def expect(self, event: str, patience_s: float = ANSWER_S) -> Mapping[str, Any]:
        """The next line with this event; others are passed over. Raises NothingToMeasure."""
        try:
            async with asyncio.timeout(patience_s):
                while self._process.stdout is not None and (line := await self._process.stdout.readline()):
                    said: Mapping[str, Any] = json.loads(line)
                    if said["event"] == event:
                        return said
        except TimeoutError:
            raise NothingToMeasure(f"a box did not say {event!r} within {patience_s:.0f} s") from None
        complaints = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise NothingToMeasure(f"a box ended before it said {event!r}: {complaints[-1:]}")

    async def tell(self, line: str = "go on") -> None:
        """What it waits for."""
        if self._process.stdin is not None:
            with suppress(ConnectionError):
                self._process.stdin.write(line.encode() + b"\n")
                await self._process.stdin.drain()


@asynccontextmanager
async def spoken(module: str, arguments: Sequence[str], *, log: Path, cores: Collection[int]) -> AsyncIterator[Spoken]:
    """`python -m module arguments` on these cores; at the end it is gone."""
    with log.open("ab") as errors, on_cores(cores):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LINE_BYTES,
            env={**os.environ, **ONE_THREAD},
            preexec_fn=end_with_parent,
        )
    try:
        yield Spoken(process, log)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


@contextmanager
def on_cores(cores: Collection[int]) -> Iterator[None]:
    """While it lasts, what this thread starts runs on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def move(pid: int, cores: Collection[int]) -> None:
    """Let a running process, with all its threads, run on these cores."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)
