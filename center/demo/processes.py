"""The demo's processes: started by their commands, restarted when they die, stopped with the demo, weighed."""

import contextlib
import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import psutil

TEAWATCH = (sys.executable, "-m", "teawatch")
STOP_S = 8.0
RESTART_AFTER_S = 1.0
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """Ask Linux to end this child when the demo is killed (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One `teawatch …` process: standard error goes to a log file, standard output too or, if asked for, line by line.

    Start it from the main thread: Linux ends it when the starting thread ends. A child that dies on its own is
    started again by `revive`, as a service manager would do it.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        log: Path,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """`arguments` follow the word `teawatch`; a thread calls `on_line` for each line of standard output."""
        self.name = name
        self.log = log
        self.restarts = 0
        self._arguments = list(arguments)
        self._on_line = on_line
        self._process: subprocess.Popen[str] | None = None
        self._died_s: float | None = None

    def start(self) -> None:
        """Start the process; its output goes on in the same log."""
        with self.log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*TEAWATCH, *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self._on_line else log,
                stderr=log,
                text=True,
                encoding="utf-8",
                errors="replace",
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - a single prctl, no locks
            )
        self._died_s = None
        if self._on_line:
            threading.Thread(target=self._read, args=(self._process,), name=f"{self.name}-lines", daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is None or self._on_line is None:
            return
        with process.stdout as lines:
            for line in lines:
                self._on_line(line)

    @property
    def pid(self) -> int | None:
        """The process's number, None before the first start."""
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the last run, None while it runs or before it started."""
        return self._process.poll() if self._process else None

    def revive(self, now_s: float) -> bool:
        """Start it again a second after it died; True when it was started. `now_s` is the monotonic clock."""
        if self._process is None or self._process.poll() is None:
            return False
        if self._died_s is None:
            self._died_s = now_s
        if now_s - self._died_s < RESTART_AFTER_S:
            return False
        self.restarts += 1
        self.start()
        return True

    def stop(self) -> None:
        """End it politely, then firmly."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """The last line it wrote to its log, for an error message."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if lines:
                return lines[-1]
        return "it said nothing"


def run_once(arguments: Sequence[str], *, timeout_s: float) -> str:
    """Run one `teawatch …` command to its end and return what it printed.

    Raises:
        RuntimeError: it failed; the message is the last line it wrote.
    """
    done = subprocess.run(  # noqa: S603 - our own command
        [*TEAWATCH, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise RuntimeError(said[-1] if said else f"teawatch {arguments[0]}: exit {done.returncode}")
    return done.stdout


class Scales:
    """Weighs this process and all its descendants: the sum of their resident memory, and its peak so far."""

    def __init__(self, *, every_s: float = 0.5) -> None:
        self.peak_bytes = 0
        self._every_s = every_s
        self._next_s = 0.0

    def weigh(self, now_s: float) -> int:
        """Take a sample when one is due; the peak in bytes. Shared pages count in each process: an upper bound."""
        if now_s >= self._next_s:
            self._next_s = now_s + self._every_s
            me = psutil.Process()
            self.peak_bytes = max(self.peak_bytes, sum(_resident([me, *me.children(recursive=True)])))
        return self.peak_bytes


def _resident(processes: Iterable[psutil.Process]) -> Iterable[int]:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            yield process.memory_info().rss


def wait_until(ready: Callable[[], bool], *, timeout_s: float, every_s: float = 0.1) -> bool:
    """Ask `ready` again and again until it says yes (True) or the time is up (False)."""
    deadline_s = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(every_s)
    return True
