"""The nursery as the bench sees it: a process in which boxes are born, spoken to over pipes."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.ending import end_with_parent
from edge.bench.delivery.orders import write_line

Ear: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]


class Nursery:
    """`ears` hear what each box has to say, by the box's key."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.ears: dict[str, Ear] = {}

    async def tell(self, order: Mapping[str, object]) -> None:
        """An order to it, or through it to a living box. Raises NothingToMeasure when it has died."""
        if self._process.stdin is None or self._process.returncode is not None:
            raise NothingToMeasure("the process in which boxes are born has ended; see its log")
        self._process.stdin.write(write_line(order))
        await self._process.stdin.drain()

    async def listen(self) -> None:
        """Pass on what it says, to its end."""
        while self._process.stdout is not None and (line := await self._process.stdout.readline()):
            said = json.loads(line)
            await self.ears[said.pop("box")](said)


@asynccontextmanager
async def bearing(module: str, log: Path) -> AsyncIterator[Nursery]:
    """A nursery; at the end all who live in it are dead."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=end_with_parent,
    )
    nursery = Nursery(process)
    tasks = [asyncio.create_task(nursery.listen()), asyncio.create_task(_keep_log(process, log))]
    try:
        yield nursery
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await asyncio.gather(*tasks)


async def _keep_log(process: asyncio.subprocess.Process, path: Path) -> None:
    with path.open("ab") as log:
        while process.stderr is not None and (data := await process.stderr.read(65536)):
            log.write(data)
