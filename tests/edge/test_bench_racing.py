"""A race is fair: one core, one process each, the bare network before and after every lap."""

import os
import sys
from pathlib import Path

import pytest

from edge.bench.clips import NothingToMeasure
from edge.bench.racing import Contestant, Lap, Plan, Runner, Standing, race, standing

PLAN = Plan(frames=1, rounds=2, ceiling_runs=7)
CORE = max(os.sched_getaffinity(0))


def contestant(name: str, lap: str, before: str = "") -> Contestant:
    """A process whose lap is this body; it may use `line`."""
    script = f"import os, sys\nfrom edge.bench.peer.laps import serve\n{before}\n"
    script += f"def lap(line):\n    {lap}\nserve(lap)\n"
    return Contestant(name, (sys.executable, "-c", script), {"TEAWATCH_TEST": "42"})


CEILING = contestant("ceiling", "return int(line), 0")
STEADY = contestant("steady", "return 3, 12")


def run(*contestants: Contestant, ceiling: Contestant = CEILING) -> tuple[set[str], dict[str, str]]:
    result = race(ceiling, contestants, Path("clip"), Path("short"), plan=PLAN, core=CORE)
    return set(result.standings), dict(result.missing)


def test_every_contestant_runs_on_the_one_core_in_one_thread_with_what_it_was_given() -> None:
    told = "[sorted(os.sched_getaffinity(0)), os.environ['OMP_NUM_THREADS'], os.environ['TEAWATCH_TEST'], line]"
    nosy = contestant("nosy", f"raise ValueError({told})")
    assert run(nosy) == (set(), {"nosy": f"nosy: ValueError: {[[CORE], '1', '42', 'short']}"})
    assert CORE in os.sched_getaffinity(0)


def test_the_process_that_asks_keeps_its_own_cores() -> None:
    before = os.sched_getaffinity(0)
    with Runner(STEADY, min(before)) as runner:
        assert os.sched_getaffinity(0) == before
        runner.wait_until_ready()
        assert runner.lap("clip").frames == 3


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (contestant("late", "return 1, 1", before="sys.exit('no network file')"), "late: no network file"),
        (contestant("mute", "os._exit(3)"), "mute: gave no answer"),
        (contestant("loud", "raise OSError('disk')"), "loud: OSError: disk"),
    ],
    ids=["ends before it starts", "ends without a word", "raises"],
)
def test_a_contestant_that_fails_is_left_out_with_its_reason_and_the_others_go_on(
    broken: Contestant, reason: str
) -> None:
    assert run(broken, STEADY) == ({"steady"}, {broken.name: reason})


def test_what_libraries_print_does_not_disturb_the_answers() -> None:
    chatty = contestant("chatty", "print('progress', flush=True); os.system('echo more'); return 2, 2")
    assert run(chatty) == ({"chatty"}, {})


def test_without_a_ceiling_nothing_is_measured() -> None:
    with pytest.raises(NothingToMeasure, match="ceiling: ValueError: damaged"):
        run(STEADY, ceiling=contestant("ceiling", "raise ValueError('damaged')"))


def test_a_standing_is_the_median_share_of_the_ceiling_around_each_lap() -> None:
    laps = [
        (Lap(frames=10, boxes=60, wall_s=1.0, cpu_s=0.9), 20.0),
        (Lap(frames=10, boxes=50, wall_s=4.0, cpu_s=0.9), 20.0),
        (Lap(frames=10, boxes=40, wall_s=1.25, cpu_s=0.6), 10.0),
    ]
    assert standing(laps) == Standing(share=0.5, boxes_per_frame=5.0, cpu_ms_per_frame=80.0, core_share=0.38)


def test_frames_per_second_are_given_at_the_mean_ceiling_of_the_race() -> None:
    result = race(CEILING, [STEADY], Path("clip"), Path("short"), plan=PLAN, core=CORE)
    assert result.fps("steady") == pytest.approx(result.standings["steady"].share * result.ceiling_fps, rel=0.01)
    assert result.fps("nobody") is None
