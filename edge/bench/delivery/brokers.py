"""Mosquitto as the centre wants it: on the files that `mqtt.mosquitto` makes the centre keep, at a port of its own."""

import asyncio
import time
from pathlib import Path

from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.processes import Runner, find_program, free_port, require_program

PROGRAM = PACKAGE = "mosquitto"
START_S = 300.0
SNAPSHOT = "mosquitto.db"
OWN_LINES = "autosave_interval 1\nlog_dest stderr\nlog_type error\n"
"""A snapshot each second instead of each minute: a storm is shorter than a day."""

REPLACED = ("listener", "autosave_interval")


def is_installed() -> bool:
    """Whether this machine has Mosquitto."""
    return find_program(PROGRAM) is not None


class Mosquitto:
    """Started on the centre's configuration, but for where it listens and how often it saves."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.server = Runner(folder.with_suffix(".log"))

    async def start(self, *, forgets: bool = False) -> None:
        """With what its disk has kept or, if it forgets, without. Raises NothingToMeasure."""
        if forgets:
            (self.folder / SNAPSHOT).unlink(missing_ok=True)
        await self.server.start([require_program(PROGRAM, PACKAGE), "-c", str(self._configure())])
        deadline_s = time.monotonic() + START_S
        while not await self._listens():
            if not self.server.runs or time.monotonic() > deadline_s:
                raise NothingToMeasure(f"the broker does not start: {self.server.last_words()}")
            await asyncio.sleep(0.02)

    def snapshot_bytes(self) -> int:
        """How large its last snapshot is; 0 while there is none."""
        path = self.folder / SNAPSHOT
        return path.stat().st_size if path.exists() else 0

    def _configure(self) -> Path:
        made = (self.folder / "mosquitto.conf").read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in made if not line.startswith(REPLACED)]
        before = next((at for at, line in enumerate(kept) if line.startswith("acl_file")), len(kept)) + 1
        lines = [*kept[:before], OWN_LINES, f"listener {self.port} 127.0.0.1\n", *kept[before:]]
        path = self.folder / "storm.conf"
        path.write_text("".join(lines), encoding="utf-8")
        return path

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True
