"""A box that is killed at chosen moments: `python -m tests.edge.crashing CLIP STATE MODE`.

Each life is a forked process that ends by `os._exit` inside SQLite, just before the n-th statement it would have run:
for the files it is the same as kill -9. What is on the disk afterwards is for the caller to judge.

Modes: `in-a-row` kills one box again and again, each time somewhat later, then lets it live. `everywhere` kills a new
box before every single statement of its first twelve seconds, then lets it live.
"""

import os
import sys
from pathlib import Path

from alerts.identity import Identity
from tests.edge.parts import Bench, make_identity, post
from tests.edge.replay import Clip

LOOKS_PER_S = 3
MOMENTS = 12
KILLED, LIVED = 9, 0


def live(clip: Clip, state: Path, *, until_s: float, die_before: int | None, dwell_s: float, life: int) -> bool:
    """One life of the box in a process of its own; whether it lived to the end."""
    child = os.fork()
    if child == 0:
        try:
            _watch(clip, state, until_s=until_s, die_before=die_before, dwell_s=dwell_s, life=life)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (KILLED, LIVED):
        raise SystemExit(f"the box failed with {code}")
    return code == LIVED


def _watch(clip: Clip, state: Path, *, until_s: float, die_before: int | None, dwell_s: float, life: int) -> None:
    bench = Bench(
        state, Identity.load(state), [post("stationary", dwell_s=dwell_s)], class_names=clip.class_names
    ).start()
    statements = 0

    def count(_statement: str) -> None:
        nonlocal statements
        statements += 1
        if die_before is not None and statements >= die_before:
            os._exit(KILLED)

    bench.outbox._connection.set_trace_callback(count)
    for look in clip.at_rate(LOOKS_PER_S):
        if look.stream_s > until_s:
            break
        bench.look(clip.frame(look, started_s=1000 + 100 * life), look.detections)
    os._exit(LIVED)


def in_a_row(clip: Clip, state: Path) -> None:
    make_identity().save(state)
    killed = 0
    for moment in range(MOMENTS):
        killed += not live(clip, state, until_s=1e9, die_before=1 + 4 * moment, dwell_s=20, life=moment)
    assert live(clip, state, until_s=1e9, die_before=None, dwell_s=20, life=MOMENTS)
    assert killed >= 10, f"only {killed} lives ended early"


def everywhere(clip: Clip, folder: Path) -> None:
    moment = 0
    while True:
        moment += 1
        state = folder / f"{moment:03}"
        make_identity().save(state)
        lived = live(clip, state, until_s=12, die_before=moment, dwell_s=5, life=0)
        assert live(clip, state, until_s=12, die_before=None, dwell_s=5, life=1)
        if lived:
            return


if __name__ == "__main__":
    clip_file, folder, mode = sys.argv[1:]
    {"in-a-row": in_a_row, "everywhere": everywhere}[mode](Clip.load(Path(clip_file)), Path(folder))
