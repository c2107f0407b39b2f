"""The demo while it runs: the processes, what they say, and the officer who waits for the first task."""

import json
import subprocess
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from rich.console import Console
from rich.live import Live

from center.demo.hearing import hear
from center.demo.officer import OfficerAtWork
from center.demo.processes import Child, Scales, run_once, wait_until
from center.demo.stage import Stage
from center.demo.terminal import Scene

START_S = 30.0
ENROL_S = 30.0
LOOK_EVERY_S = 0.2
TASKS_EVERY_S = 0.5
MIB = 1024 * 1024


class Failure(Exception):
    """The demo cannot go on; the message says why in one line."""


class Performance:
    """The running demo. A context manager: whatever it started, it stops."""

    def __init__(self, stage: Stage, scene: Scene, folder: Path, *, started_s: float) -> None:
        """`started_s` is the monotonic clock when the command began: the figures count from there."""
        self._stage = stage
        self._scene = scene
        self._started_s = started_s
        self._lock = threading.Lock()
        self._scales = Scales()
        self._known_tasks: set[str] = set()
        self._box_state = folder / "box"
        officer = stage.accounts[0]
        self._officer = OfficerAtWork(stage.board_url, name=officer.name, password=officer.password)
        self._center = Child("centre", ["center", "serve", "--data", str(stage.center_data)], log=folder / "center.log")
        self._box: Child | None = None
        self._box_log = folder / "box.log"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in (self._box, self._center):
            if child is not None:
                child.stop()
        self._officer.close()

    def start_center(self) -> None:
        """Start the centre and wait until it answers. Raises Failure."""
        self._center.start()
        answered = wait_until(lambda: self._officer.healthy() or self._center.exit_code is not None, timeout_s=START_S)
        if not answered or self._center.exit_code is not None:
            raise Failure(f"the centre did not start: {self._center.last_words()}")
        try:
            self._officer.sign_in()
        except httpx.HTTPError as error:
            raise Failure(f"the officer could not sign in: {error}") from None
        self._say("the centre is open")

    def start_box(self, config: Path) -> None:
        """Enrol the box with its one-time code and let it watch. Raises Failure."""
        state = self._box_state / "state"
        try:
            run_once(
                [
                    "edge",
                    "enrol",
                    "--center",
                    self._stage.board_url,
                    "--code",
                    self._stage.enrolment_code,
                    "--state",
                    str(state),
                ],
                timeout_s=ENROL_S,
            )
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            raise Failure(f"the box could not enrol: {error}") from None
        self._say("the box has enrolled with its one-time code")
        self._box = Child(
            "box",
            ["edge", "run", str(config), "--state", str(state), "--events"],
            log=self._box_log,
            on_line=self._hear,
        )
        self._box.start()

    def run_until_interrupted(self) -> None:
        """Show everything until Ctrl+C; whatever dies is started again, as a service manager would do it."""
        tasks_due_s = 0.0
        console = Console()
        if not console.is_terminal:  # where nothing can be drawn anew, the rest is told at the end
            console.print(self._scene.doors())
        with Live(self._scene, console=console, auto_refresh=False) as live:
            while True:
                now_s = time.monotonic()
                for child in (self._center, self._box):
                    if child is not None and child.revive(now_s):
                        self._say(f"the {child.name} had died and was started again")
                if now_s >= tasks_due_s:
                    tasks_due_s = now_s + TASKS_EVERY_S
                    self._count_tasks(now_s)
                with self._lock:
                    live.refresh()
                time.sleep(LOOK_EVERY_S)

    def run_until_task(self, *, timeout_s: float) -> dict[str, Any]:
        """Wait for the first task, acknowledge it, look at the shopper's page; what was counted on the way.

        Raises Failure when something died or the time is up.
        """
        deadline_s = self._started_s + timeout_s
        while not (tasks := self._count_tasks(time.monotonic())):
            self._scales.weigh(time.monotonic())
            for child in (self._center, self._box):
                if child is not None and child.exit_code is not None:
                    raise Failure(f"the {child.name} ended early: {child.last_words()}")
            if blind := self._blind():
                raise Failure(blind)
            if time.monotonic() > deadline_s:
                raise Failure(f"no task within {timeout_s:.0f} s; the box last said: {self._last_line()}")
            time.sleep(LOOK_EVERY_S)
        return self._finish(tasks)

    def _finish(self, tasks: list[dict[str, Any]]) -> dict[str, Any]:
        task = tasks[-1]
        try:
            state = self._officer.acknowledge(task["id"], task["version"])
            shopper = self._officer.shopper_sees(self._stage.trace_url)
        except httpx.HTTPError as error:
            raise Failure(f"the centre refused: {error}") from None
        if not shopper:
            raise Failure(f"the shopper's page did not answer: {self._stage.trace_url}")
        if state != "acknowledged":
            raise Failure(f"the task is {state!r} after it was acknowledged")
        self._scales.weigh(time.monotonic())
        with self._lock:
            scene = self._scene
            return {
                "frames": scene.frames,
                "incidents": scene.incidents,
                "alerts": scene.alerts,
                "tasks": scene.tasks,
                "acknowledged": True,
                "trace_url": self._stage.trace_url,
                "seconds_to_first_task": round(scene.first_task_s or 0.0, 1),
                "peak_rss_mb": round(self._scales.peak_bytes / MIB),
            }

    def _count_tasks(self, now_s: float) -> list[dict[str, Any]]:
        try:
            tasks = self._officer.tasks()
        except httpx.HTTPStatusError:
            with suppress(httpx.HTTPError):
                self._officer.sign_in()
            return []
        for task in tasks:
            if task["id"] not in self._known_tasks:
                self._known_tasks.add(task["id"])
                self._say(f"task opened: check this lead, in the hands of {task['officer'] or 'the county pool'}")
        with self._lock:
            self._scene.tasks = len(tasks)
            if tasks and self._scene.first_task_s is None:
                self._scene.first_task_s = now_s - self._started_s
        return tasks

    def _hear(self, line: str) -> None:
        """One line of the box: JSON with `event` and its fields; anything else is shown as it is."""
        try:
            said = json.loads(line)
            with self._lock:
                note = hear(self._scene, said)
        except (ValueError, TypeError, KeyError):
            note = line.strip()
        if note:
            self._say(note)

    def _blind(self) -> str:
        """Why no camera can ever see anything; empty while one still may."""
        with self._lock:
            rows = list(self._scene.cameras.values())
        return rows[0].reason if rows and all(row.state == "failed" for row in rows) else ""

    def _say(self, text: str) -> None:
        with self._lock:
            self._scene.say(datetime.now(UTC), text)

    def _last_line(self) -> str:
        with self._lock:
            return self._scene.lines[-1][1] if self._scene.lines else "nothing"
