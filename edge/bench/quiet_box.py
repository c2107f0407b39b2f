"""How many quiet cameras one core watches. `python -m edge.bench.quiet_box CARD FILM[,FILM …] RUNG …`.

A real box plays one of the films for each camera, over and over in its own time and each from another moment on. On
every rung of the ladder, `CAMERAS:SETTLE_S:MEASURE_S`, cameras join the running box; once they have settled it is
counted how many of the looks and comparisons that fell due were late.
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import cv2

from alerts.blobs import BlobStore
from alerts.outbox import Outbox
from edge.bench.box_lap import nobody
from edge.bench.boxes import box_of
from edge.bench.rotation import rotate
from edge.box import Box
from edge.composition import build_box
from edge.duties import duties_of
from edge.memory import resident_mib
from edge.snapshot import CameraSnapshot
from models.detector import Detector

MEBIBYTE = 1024 * 1024
STAGGER_S = 0.025
SPARE_S = 10.0
"""For joining and leaving."""


def main() -> None:
    """Climb, and say what was seen on each rung."""
    card, films = sys.argv[1], [Path(name) for name in sys.argv[2].split(",")]
    ladder = [tuple(map(float, rung.split(":"))) for rung in sys.argv[3:]]
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="teawatch-bench-") as folder:
        seconds = sum(settle_s + measure_s for _, settle_s, measure_s in ladder) + SPARE_S
        streams = _streams(films, int(ladder[-1][0]), seconds, Path(folder))
        loaded = box_of(Path(card), streams, Path(folder), pace="loop", gate="auto")
        detector = Detector.load(loaded.card)
        with Outbox.open(Path(folder) / "outbox.sqlite3", identity=nobody()) as outbox:
            blobs = BlobStore(Path(folder) / "evidence")
            box = build_box(loaded, [detector], outbox, blobs, lambda _event, /, **_: None, until_end=False)
            duties = duties_of(loaded)
            box.use([], lambda _: None)
            runner = threading.Thread(target=box.run)
            runner.start()
            try:
                rungs = []
                for cameras, settle_s, measure_s in ladder:
                    for count in range(len(box.snapshots()) + 1, int(cameras) + 1):
                        box.use(duties[:count], lambda _: None)
                        time.sleep(STAGGER_S)
                    time.sleep(settle_s)
                    rungs.append(_measure(box, int(cameras), measure_s))
            finally:
                box.stop()
                runner.join()
    sys.stdout.write(json.dumps({"rungs": rungs}) + "\n")


def _streams(films: Sequence[Path], count: int, seconds: float, folder: Path) -> list[Path]:
    """What each camera sends: the films in turn, each copy from another moment on."""
    copies = [folder / f"camera-{number}.mp4" for number in range(count)]
    for number, copy in enumerate(copies):
        rotate(films[number % len(films)], copy, share=number / count, seconds=seconds)
    return copies


def _measure(box: Box, cameras: int, seconds: float) -> dict[str, float]:
    before = _sums(box.snapshots())
    cpu_s, began_s = time.process_time(), time.monotonic()
    time.sleep(seconds)
    took_s = time.monotonic() - began_s
    snapshots = box.snapshots()
    after = _sums(snapshots)
    due, late = after[0] - before[0], after[1] - before[1]
    return {
        "cameras": cameras,
        "due": due,
        "late": late,
        "cpu_share": round((time.process_time() - cpu_s) / took_s, 3),
        "asleep": sum(each.depth == "asleep" for each in snapshots),
        "packets_per_s": round((after[2] - before[2]) / took_s, 1),
        "looks": after[3] - before[3],
        "resident_mb": round(resident_mib() - sum(each.ring_bytes for each in snapshots) / MEBIBYTE, 1),
    }


def _sums(snapshots: tuple[CameraSnapshot, ...]) -> tuple[int, int, int, int]:
    return (
        sum(each.due for each in snapshots),
        sum(each.late for each in snapshots),
        sum(each.packets for each in snapshots),
        sum(each.looks for each in snapshots),
    )


if __name__ == "__main__":
    main()
