"""Processes of a centre that can be told to die at a write: `python -m center.mortal`, for `teawatch bench delivery`.

It imports the centre once and forks: each process runs a `teawatch` command as the command line would, and what is
killed lives again at once. An order a line on standard input: `{"id": …, "words": ["center", "serve", …],
"boundaries": FILE, "clock": FILE, "out": FILE}`; news on standard output: `{"id": …, "pid": …}` when it has begun,
`{"id": …, "code": …}` when it has ended. What they print goes to `out`, what they complain of to standard error; none
outlives this process.

On SIGUSR2 a process reads out of its file of the clock by how many seconds its machine's clock is wrong from then on.

On SIGUSR1 a process reads a number out of its file of boundaries and counts from then on: before each statement that
writes, before each commit and after it, before a file is opened for writing, gets its name or is removed. At that
number it is killed from inside by SIGKILL: for its files, kill -9 at that boundary.
"""

import ctypes
import importlib
import json
import os
import selectors
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

import teawatch
from center.clock import MACHINE

WRITES = ("INSERT", "UPDATE", "DELETE")
FILE_EVENTS = frozenset({"os.rename", "os.remove", "os.link", "os.truncate"})
WRITING = os.O_WRONLY | os.O_RDWR
"""What the interpreter tells its audit hooks before it is done (PEP 578)."""

IMPORTED = ("center.cli", "center.serving", "center.app", "psycopg")
PR_SET_PDEATHSIG = 1
READ_BYTES = 65536


class Fate:
    """Counts boundaries down once it is armed."""

    def __init__(self) -> None:
        self._left: int | None = None

    def arm(self, boundaries: int) -> None:
        """Let so many boundaries be the last."""
        self._left = boundaries

    def passes(self) -> None:
        """One more boundary."""
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def heed(self, event: str, args: tuple[Any, ...]) -> None:
        """An audit hook: files count too."""
        if self._left is None:
            return
        if event in FILE_EVENTS or (event == "open" and isinstance(args[2], int) and args[2] & WRITING):
            self.passes()

    def watch(self) -> None:
        """Have every database and every file of this process count."""
        sys.addaudithook(self.heed)

        def before_statement(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401 - SQLAlchemy's signature
            if statement.lstrip().startswith(WRITES):
                self.passes()

        event.listen(Engine, "before_cursor_execute", before_statement)
        event.listen(Engine, "commit", lambda _connection: self.passes())
        event.listen(Session, "after_commit", lambda _session: self.passes())


def end_with_parent() -> None:
    """Have Linux kill this process when the one that started it ends (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def steer(ahead_s: float) -> None:
    """Let this process's machine be so far ahead of the time, or behind it."""
    MACHINE.ahead = timedelta(seconds=ahead_s)


def live(words: list[str], boundaries: Path, clock: Path, out: Path) -> NoReturn:
    """Be the process that these words start."""
    end_with_parent()
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), sys.stdout.fileno())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fate = Fate()
    signal.signal(signal.SIGUSR1, lambda *_: fate.arm(int(boundaries.read_text(encoding="ascii"))))
    signal.signal(signal.SIGUSR2, lambda *_: steer(float(clock.read_text(encoding="ascii"))))
    fate.watch()
    code: object = 0
    try:
        teawatch.app(words)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter ends
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


class Cradle:
    """Starts and buries processes."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[str, int]] = {}
        self._rest = b""
        self._waiting = selectors.DefaultSelector()

    def run(self) -> None:
        """Until the input ends."""
        self._waiting.register(sys.stdin.fileno(), selectors.EVENT_READ)
        while True:
            for key, _ in self._waiting.select():
                if key.fd != sys.stdin.fileno():
                    self._bury(key.fd)
                elif not (data := os.read(key.fd, READ_BYTES)):
                    return
                else:
                    *lines, self._rest = (self._rest + data).split(b"\n")
                    for line in lines:
                        self._bear(json.loads(line))

    def _bear(self, order: Mapping[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            live(order["words"], Path(order["boundaries"]), Path(order["clock"]), Path(order["out"]))
        end = os.pidfd_open(pid)
        self._names[end] = order["id"], pid
        self._waiting.register(end, selectors.EVENT_READ)
        _say({"id": order["id"], "pid": pid})

    def _bury(self, end: int) -> None:
        name, pid = self._names.pop(end)
        self._waiting.unregister(end)
        _, status = os.waitpid(pid, 0)
        os.close(end)
        _say({"id": name, "code": os.waitstatus_to_exitcode(status)})


def _say(news: Mapping[str, object]) -> None:
    os.write(sys.stdout.fileno(), json.dumps(news).encode() + b"\n")


def main() -> None:
    """Serve one bench."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in IMPORTED:
        with suppress(ModuleNotFoundError):
            importlib.import_module(module)
    Cradle().run()


if __name__ == "__main__":
    main()
