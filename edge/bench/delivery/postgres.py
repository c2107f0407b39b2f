"""PostgreSQL as a county's database: a server of the round's own, to be killed and started again."""

import asyncio
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.processes import Runner, find_program, free_port, require_program

PACKAGE = "postgresql"
NOBODY = "nobody"
START_S = 300.0
LOOK_EVERY_S = 0.1


def is_installed() -> bool:
    """Whether this machine has a PostgreSQL server."""
    return find_program("postgres") is not None and find_program("initdb") is not None


class Postgres:
    """As root it runs as nobody, for it refuses to be root's. Its folder is one that nobody may reach."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.server = Runner(folder.with_suffix(".log"))
        self._folder = folder
        self._user = NOBODY if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        """As the centre's setting `database_url` takes it."""
        return f"postgresql://teawatch@127.0.0.1:{self.port}/postgres"

    async def create(self) -> None:
        """A new cluster; its first files need no sync to survive kill -9. Raises NothingToMeasure."""
        self._folder.mkdir()
        if self._user:
            shutil.chown(self._folder, self._user)
        options = ["-D", str(self._folder), "-A", "trust", "-U", "teawatch", "-E", "UTF8", "--locale", "C", "--no-sync"]
        await self.server.start([require_program("initdb", PACKAGE), *options], user=self._user)
        if await self.server.wait():
            raise NothingToMeasure(f"initdb failed: {self.server.last_words()}")

    async def start(self) -> None:
        """Returns when it takes connections. What a killed one left behind keeps it from starting for a moment.

        Raises NothingToMeasure.
        """
        options = ["-c", "unix_socket_directories=", "-h", "127.0.0.1", "-p", str(self.port)]
        command = [require_program("postgres", PACKAGE), "-D", str(self._folder), *options]
        deadline_s = time.monotonic() + START_S
        while not await self._is_ready():
            if time.monotonic() > deadline_s:
                raise NothingToMeasure(f"PostgreSQL does not start: {self.server.last_words()}")
            if not self.server.runs:
                await self.server.start(command, user=self._user)
            await asyncio.sleep(LOOK_EVERY_S)

    async def limit_files(self, most_bytes: int | None) -> None:
        """Let none of its files be written past so many bytes; None: no limit. What it starts meanwhile inherits that.

        Done as its own user, for not every root may limit somebody else's processes.
        """
        with suppress(ProcessLookupError):
            await self._limit_files_of(self.server.pid, most_bytes)
            for pid in self.children():
                await self._limit_files_of(pid, most_bytes)

    async def _limit_files_of(self, pid: int, most_bytes: int | None) -> None:
        """One that has ended meanwhile needs no limit."""
        limit = f"--fsize={'unlimited' if most_bytes is None else most_bytes}:"
        program = require_program("prlimit", "util-linux")
        limiting = await asyncio.create_subprocess_exec(
            *(program, "--pid", str(pid), limit), stderr=asyncio.subprocess.DEVNULL, user=self._user
        )
        await limiting.wait()

    def children(self) -> list[int]:
        """What the server has started. Raises ProcessLookupError where it does not run."""
        pid = self.server.pid
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]

    async def _is_ready(self) -> bool:
        if not self.server.runs:
            return False
        asking = await asyncio.create_subprocess_exec(
            require_program("pg_isready", PACKAGE), "-q", "-h", "127.0.0.1", "-p", str(self.port)
        )
        return await asking.wait() == 0
