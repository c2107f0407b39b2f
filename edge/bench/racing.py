"""Competitors against the ceiling: each in a process of its own, all on one core, the ceiling before and after each.

Machines are shared: what a core gives changes from second to second. So every lap stands between two short runs of the
bare network, its worth is its share of their mean, and of several laps the median share counts.
"""

import json
import os
import select
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from edge.bench.clips import NothingToMeasure

ANSWER_WITHIN_S = 300.0
STOP_WITHIN_S = 5.0
WARMING_RUNS = 5
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a race is."""

    frames: int
    rounds: int
    ceiling_runs: int


@dataclass(frozen=True, slots=True)
class Contestant:
    """A name for the table, and the command of a process that serves laps (`peer/laps.py`)."""

    name: str
    command: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lap:
    """What one lap took: `cpu_s` counts all threads of the process."""

    frames: int
    boxes: int
    wall_s: float
    cpu_s: float

    @property
    def fps(self) -> float:
        """Frames per second of wall time."""
        return self.frames / self.wall_s


@dataclass(frozen=True, slots=True)
class Standing:
    """What a contestant reached: median `share` of the ceiling, and sums over its laps."""

    share: float
    boxes_per_frame: float
    cpu_ms_per_frame: float
    core_share: float
    """CPU seconds of its laps over their wall seconds."""


@dataclass(frozen=True, slots=True)
class Race:
    """Mean runs per second of the bare network and CPU time of a run; by name what the others reached, or why not."""

    ceiling_fps: float
    ceiling_cpu_ms: float
    standings: Mapping[str, Standing]
    missing: Mapping[str, str]

    def fps(self, name: str) -> float | None:
        """Frames per second at the race's mean ceiling; None for one that could not take part."""
        standing = self.standings.get(name)
        return round(standing.share * self.ceiling_fps, 2) if standing else None

    @property
    def core_share(self) -> float:
        """How much of the core the race had at least; well below 1, somebody else was on it and ratios are rough."""
        return min((standing.core_share for standing in self.standings.values()), default=1.0)


class Runner:
    """A contestant's process, on one core from its first moment; a context manager."""

    def __init__(self, contestant: Contestant, core: int) -> None:
        """Start it; `wait_until_ready` says when it can be asked."""
        self._name = contestant.name
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        # The new process inherits the affinity of the thread that starts it: no thread of it ever runs elsewhere.
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {core})
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                contestant.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                bufsize=0,
                env={**os.environ, **ONE_THREAD, **contestant.variables},
            )
        finally:
            os.sched_setaffinity(0, before)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._complaints.close()

    def wait_until_ready(self) -> None:
        """Raises NothingToMeasure if the process ends or stays silent instead."""
        self._read()

    def lap(self, line: str) -> Lap:
        """One lap over what the line names. Raises NothingToMeasure."""
        try:
            if self._process.stdin:
                self._process.stdin.write(f"{line}\n".encode())
        except OSError:
            raise self._failure() from None
        return Lap(**json.loads(self._read()))

    def _read(self) -> bytes:
        """The next line of the process, which it writes at once and whole."""
        answers = self._process.stdout
        if answers and select.select([answers], [], [], ANSWER_WITHIN_S)[0] and (line := answers.readline()):
            return line
        raise self._failure()

    def _failure(self) -> NothingToMeasure:
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return NothingToMeasure(f"{self._name}: {lines[-1] if lines else 'gave no answer'}")


def race(
    ceiling: Contestant, contestants: Sequence[Contestant], clip: Path, short_clip: Path, *, plan: Plan, core: int
) -> Race:
    """Let each contestant run over the clip so many times, between runs of the ceiling.

    `short_clip` is for warming up. Contestants that fail are left out, with the reason; raises NothingToMeasure if the
    ceiling itself cannot be measured.
    """
    missing: dict[str, str] = {}
    laps: dict[str, list[tuple[Lap, float]]] = {}
    with ExitStack() as cleanup:
        bare = cleanup.enter_context(Runner(ceiling, core))
        bare.wait_until_ready()
        bare.lap(str(WARMING_RUNS))
        runners: dict[str, Runner] = {}
        for each in contestants:
            try:
                runner = cleanup.enter_context(Runner(each, core))
                runner.wait_until_ready()
                runner.lap(str(short_clip))
            except NothingToMeasure as error:
                missing[each.name] = str(error)
            else:
                runners[each.name] = runner
        ceilings = [bare.lap(str(plan.ceiling_runs))]
        for _ in range(plan.rounds):
            for name, runner in runners.items():
                lap = runner.lap(str(clip))
                ceilings.append(bare.lap(str(plan.ceiling_runs)))
                laps.setdefault(name, []).append((lap, statistics.fmean(each.fps for each in ceilings[-2:])))
    standings = {name: standing(made) for name, made in laps.items()}
    return Race(
        ceiling_fps=round(statistics.fmean(each.fps for each in ceilings), 2),
        ceiling_cpu_ms=round(1000 * statistics.fmean(each.cpu_s / each.frames for each in ceilings), 1),
        standings=standings,
        missing=missing,
    )


def standing(made: Sequence[tuple[Lap, float]]) -> Standing:
    """Of laps, each with the ceiling around it."""
    laps = [lap for lap, _ in made]
    frames, cpu_s = sum(lap.frames for lap in laps), sum(lap.cpu_s for lap in laps)
    return Standing(
        share=statistics.median(lap.fps / ceiling_fps for lap, ceiling_fps in made),
        boxes_per_frame=round(sum(lap.boxes for lap in laps) / frames, 1),
        cpu_ms_per_frame=round(1000 * cpu_s / frames, 1),
        core_share=round(cpu_s / sum(lap.wall_s for lap in laps), 2),
    )
