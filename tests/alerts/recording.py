"""A disk that remembers what SQLite asked of it, and what a power cut may leave of that.

Until a file is synced, nothing that was written to it is sure: each write may be there, be missing, be there before an
earlier one, or be cut at a sector's edge. What was synced stays.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import apsw

from alerts.storage import DURABLE

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done to one file: `data` written at `offset`, a truncation to `offset`, a sync, a deletion."""

    what: str
    name: str
    offset: int = 0
    data: bytes = b""


class Loss(StrEnum):
    """What becomes of writes that were not synced."""

    NOTHING = "all of them are there"
    ALL = "none of them is there"
    SOME = "some are there, in any order"
    TORN = "the first few are there, the last of these in part"


@dataclass(slots=True)
class _File:
    """What is sure of a file, and what is not."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)

    def take(self, step: Step) -> None:
        if step.what == "sync":
            _apply(self.durable, self.pending)
            self.pending = []
        else:
            self.pending.append(step)

    def left(self, loss: Loss, chance: random.Random) -> bytes:
        content, steps = bytearray(self.durable), list(self.pending)
        match loss:
            case Loss.ALL:
                steps = []
            case Loss.SOME:
                steps = [step for step in steps if chance.random() < 0.5]
                chance.shuffle(steps)
            case Loss.TORN if steps:
                steps = steps[: chance.randrange(len(steps)) + 1]
                steps[-1] = _torn(steps[-1], chance)
            case _:
                pass
        _apply(content, steps)
        return bytes(content)


def _apply(content: bytearray, steps: Iterable[Step]) -> None:
    for step in steps:
        if step.what == "truncate":
            del content[step.offset :]
            continue
        content.extend(bytes(max(0, step.offset - len(content))))
        content[step.offset : step.offset + len(step.data)] = step.data


def _torn(step: Step, chance: random.Random) -> Step:
    sectors = len(step.data) // SECTOR
    return Step(step.what, step.name, step.offset, step.data[: SECTOR * chance.randint(0, sectors)])


class Disk(apsw.VFS):
    """Files as the system's own, and `steps`, what was done to them, while SQLite opens files on `NAME`."""

    NAME = "recorded"

    def __init__(self) -> None:
        self.steps: list[Step] = []
        super().__init__(self.NAME, base="")

    def xOpen(self, name: Any, flags: list[int]) -> "_Recorded":  # noqa: N802 - SQLite's own
        return _Recorded(self.steps, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self.steps.append(Step("delete", Path(filename).name))
        super().xDelete(filename, syncdir)

    def remains(self, count: int, loss: Loss, chance: random.Random, folder: Path) -> None:
        """Lay down in `folder` what a power cut after the first `count` steps leaves."""
        files: dict[str, _File] = {}
        for step in self.steps[:count]:
            if step.what == "delete":
                files.pop(step.name, None)
            else:
                files.setdefault(step.name, _File()).take(step)
        for name, file in files.items():
            (folder / name).write_bytes(file.left(loss, chance))


class _Recorded(apsw.VFSFile):
    def __init__(self, steps: list[Step], name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._steps = steps
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else str(name)).name

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._steps.append(Step("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._steps.append(Step("truncate", self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._steps.append(Step("sync", self._name))
        super().xSync(flags)


@dataclass(slots=True)
class _Rows:
    rows: list[tuple[Any, ...]]

    def fetchone(self) -> tuple[Any, ...] | None:
        return self.rows[0] if self.rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows


class Connection:
    """As much of `sqlite3.Connection` as the outbox uses, on a recorded disk."""

    settings: ClassVar[tuple[str, ...]] = DURABLE

    def __init__(self, path: Path) -> None:
        self._connection = apsw.Connection(str(path), vfs=Disk.NAME)
        # The disk's memory for several processes cannot be recorded; with one process there is none.
        for setting in ("locking_mode = EXCLUSIVE", *self.settings):
            self.execute(f"PRAGMA {setting}")

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> _Rows:
        """Run it to its end."""
        return _Rows(self._connection.execute(statement, values).fetchall())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
