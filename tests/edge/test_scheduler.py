"""The scheduler with cameras that are nothing but due: who is served, by how many, and that nobody is forgotten."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.scheduler import AHEAD_S, Scheduler

PATIENCE_S = 20.0
NEVER = float("inf")


@dataclass(eq=False)
class Eye:
    name: str
    due_s: float = 0.0
    open_incidents: int = 0
    period_s: float = 1.0
    lateness_s: list[float] = field(default_factory=list)


def chosen(eyes: list[Eye], now_s: float) -> str | None:
    scheduler: Scheduler[Eye, str] = Scheduler(["one"], lambda *_: None)
    for eye in eyes:
        scheduler.add(eye)
    best, _ = scheduler._choose(now_s)
    return best.name if best else None


@pytest.mark.parametrize(
    ("eyes", "first"),
    [
        ([Eye("a", 99.5), Eye("b", 99.2), Eye("c", 99.8)], "b"),
        ([Eye("a", 99.2), Eye("b", 99.8, open_incidents=1)], "b"),
        ([Eye("a", 99.2, open_incidents=3), Eye("b", 99.1, open_incidents=1)], "b"),
        ([Eye("a", 98.5), Eye("b", 99.8, open_incidents=1)], "a"),
        ([Eye("a", 90.2), Eye("b", 90.8, open_incidents=1), Eye("c", 90.5, open_incidents=1)], "c"),
        ([Eye("a", 90.2), Eye("b", 91.5, open_incidents=1)], "a"),
        ([Eye("a", 100.1), Eye("b", NEVER), Eye("c", 100.0)], "c"),
        ([Eye("a", 100.1), Eye("b", NEVER, open_incidents=1)], None),
        ([], None),
    ],
)
def test_who_was_due_first_comes_first_with_an_open_incident_as_if_a_second_earlier_however_late_all_are(
    eyes: list[Eye], first: str | None
) -> None:
    assert chosen(eyes, now_s=100.0) == first


@settings(max_examples=40, derandomize=True)
@given(
    periods=st.lists(st.floats(0.1, 3.0), min_size=2, max_size=25),
    overload=st.floats(0.5, 4.0),
    troubled=st.integers(0, 24),
    seed=st.integers(0, 1000),
)
def test_nobody_starves_however_overloaded_it_is_and_whoever_has_incidents(
    periods: list[float], overload: float, troubled: int, seed: int
) -> None:
    """Simulated: a session whose turns take `overload` times what the periods leave."""
    turn_s = overload / sum(1 / period_s for period_s in periods)
    eyes = [
        Eye(str(number), open_incidents=int(number < troubled), period_s=period_s)
        for number, period_s in enumerate(periods)
    ]
    scheduler: Scheduler[Eye, str] = Scheduler(["one"], lambda *_: None)
    dice = random.Random(seed)
    for eye in eyes:
        eye.due_s = dice.uniform(0, eye.period_s)
        scheduler.add(eye)
    now_s, turns = 0.0, 400
    for _ in range(turns):
        best, next_s = scheduler._choose(now_s)
        if best is None:
            now_s = next_s
            continue
        best.lateness_s.append(now_s - best.due_s)
        now_s += turn_s
        best.due_s = max(now_s, best.due_s + best.period_s)
    bound_s = AHEAD_S + 2 * len(eyes) * turn_s
    assert max(late_s for eye in eyes for late_s in eye.lateness_s) <= bound_s
    assert all(now_s - eye.due_s <= bound_s for eye in eyes)


class Stage:
    """Sessions at work on cameras whose turns last until the test lets them end."""

    def __init__(self, sessions: int, eyes: int, *, open_gate: bool = False) -> None:
        self.news = threading.Condition()
        self.begun: list[str] = []
        self.serving: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.most_at_once = 0
        self.sessions_used: set[int] = set()
        self.is_open = open_gate
        self.eyes = [Eye(f"eye-{number}") for number in range(eyes)]
        self.scheduler: Scheduler[Eye, int] = Scheduler(range(sessions), self.serve)
        for eye in self.eyes:
            self.scheduler.add(eye)

    def serve(self, eye: Eye, session: int) -> None:
        with self.news:
            eye.due_s = NEVER
            self.begun.append(eye.name)
            self.serving[eye.name] += 1
            self.most[eye.name] = max(self.most[eye.name], self.serving[eye.name])
            self.most_at_once = max(self.most_at_once, self.serving.total())
            self.sessions_used.add(session)
            self.news.notify_all()
            assert self.news.wait_for(lambda: self.is_open, PATIENCE_S)
            self.serving[eye.name] -= 1
            self.news.notify_all()

    def wait_until(self, claim: Callable[[], object]) -> None:
        with self.news:
            assert self.news.wait_for(claim, PATIENCE_S), self.begun

    def open(self) -> None:
        with self.news:
            self.is_open = True
            self.news.notify_all()

    def make_due(self, eye: Eye) -> None:
        with self.news:
            eye.due_s = 0.0
        self.scheduler.prod()

    def __enter__(self) -> Self:
        self.scheduler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open()
        self.scheduler.stop()


def test_sessions_work_at_once_on_different_cameras() -> None:
    with Stage(sessions=3, eyes=5) as stage:
        stage.wait_until(lambda: stage.serving.total() == 3)
        assert len(set(stage.begun)) == 3
        assert stage.scheduler.queue == 2
        stage.open()
        stage.wait_until(lambda: len(stage.begun) == 5)
    assert stage.most_at_once == 3
    assert stage.sessions_used == {0, 1, 2}
    assert sorted(stage.begun) == [eye.name for eye in stage.eyes]


def test_a_camera_is_served_by_one_session_at_a_time_however_due_it_is() -> None:
    with Stage(sessions=3, eyes=1) as stage:
        stage.wait_until(lambda: stage.begun)
        stage.make_due(stage.eyes[0])
        assert stage.scheduler.queue == 0, "it is being served"
        stage.open()
        stage.wait_until(lambda: len(stage.begun) == 2)
    assert stage.most == {"eye-0": 1}


def test_whoever_says_that_it_is_due_is_served_though_all_were_at_rest() -> None:
    with Stage(sessions=2, eyes=4, open_gate=True) as stage:
        stage.wait_until(lambda: len(stage.begun) == 4)
        for number in range(20):
            stage.make_due(stage.eyes[number % 4])
            stage.wait_until(lambda: len(stage.begun) == 5 + number)  # noqa: B023 - asked for before it changes
        assert stage.scheduler.queue == 0


def test_how_long_the_longest_turn_lasts_is_known_while_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now_s=100.0)
    monkeypatch.setattr("edge.scheduler.time", SimpleNamespace(monotonic=lambda: clock.now_s))
    with Stage(sessions=2, eyes=1) as stage:
        assert stage.scheduler.turn_s() == 0
        stage.wait_until(lambda: stage.begun)
        clock.now_s += 50
        stage.scheduler.add(late := Eye("late", due_s=150.0))
        stage.wait_until(lambda: len(stage.begun) == 2)
        clock.now_s += 7
        assert (stage.scheduler.turn_s(), late.due_s) == (57, NEVER)
    assert stage.scheduler.turn_s() == 0


def test_a_camera_that_is_added_is_served() -> None:
    with Stage(sessions=1, eyes=0, open_gate=True) as stage:
        stage.scheduler.add(Eye("late"))
        stage.wait_until(lambda: stage.begun == ["late"])


def test_removing_waits_for_the_turn_that_runs_and_no_other_begins() -> None:
    with Stage(sessions=2, eyes=1) as stage:
        stage.wait_until(lambda: stage.begun)
        removed = threading.Event()

        def remove() -> None:
            stage.scheduler.remove(stage.eyes[0])
            assert stage.serving.total() == 0
            removed.set()

        thread = threading.Thread(target=remove)
        thread.start()
        stage.wait_until(lambda: stage.eyes[0] not in stage.scheduler._eyes)
        assert not removed.is_set()
        stage.eyes[0].due_s = 0.0
        stage.open()
        thread.join(PATIENCE_S)
    assert removed.is_set()
    assert stage.begun == ["eye-0"]


def test_a_prod_wakes_a_session_and_not_somebody_who_waits_for_a_removal() -> None:
    with Stage(sessions=2, eyes=2) as stage:
        stage.wait_until(lambda: len(stage.begun) == 2)
        notified = []
        scheduler = stage.scheduler
        thread = threading.Thread(target=scheduler.remove, args=(stage.eyes[0],))
        thread.start()
        stage.wait_until(lambda: stage.eyes[0] not in scheduler._eyes)
        with scheduler._changed:
            notified = list(scheduler._changed._waiters)  # type: ignore[attr-defined]
        stage.open()
        thread.join(PATIENCE_S)
    assert notified == [], "both sessions are at work, and the removal waits elsewhere"


def test_stopping_waits_for_the_turns_that_run_and_begins_no_other() -> None:
    stage = Stage(sessions=1, eyes=3)
    with stage:
        stage.wait_until(lambda: stage.begun)
        stopping = threading.Thread(target=stage.scheduler.stop)
        stopping.start()
        stage.wait_until(lambda: stage.scheduler._is_stopping)
        assert stopping.is_alive()
        stage.open()
        stopping.join(PATIENCE_S)
        assert not stopping.is_alive()
    assert len(stage.begun) == 1


def test_a_scheduler_that_never_began_may_be_stopped() -> None:
    Scheduler(["one"], lambda *_: None).stop()


def test_the_busy_share_is_of_all_sessions_and_of_the_last_seconds_however_many_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now_s=100.0)
    monkeypatch.setattr("edge.scheduler.time", SimpleNamespace(monotonic=lambda: clock.now_s))
    scheduler: Scheduler[Eye, str] = Scheduler(["one", "two"], lambda *_: None)
    clock.now_s += 30
    scheduler.worked_s = 15.0
    assert [scheduler.busy_share() for _ in range(3)] == pytest.approx([0.25] * 3)
    for _ in range(10):
        clock.now_s += 1
        scheduler.worked_s += 1.0
        scheduler.busy_share()
    assert scheduler.busy_share() == pytest.approx(0.5)
    clock.now_s += 100
    assert scheduler.busy_share() == 0
    clock.now_s += 10
    scheduler.worked_s += 50.0
    assert scheduler.busy_share() == 1
