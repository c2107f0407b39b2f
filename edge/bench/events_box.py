"""Which events a gated box misses. `python -m edge.bench.events_box CARD FILM …`; the truth lies beside each film.

Each film is played once through a box of one camera, as fast as it goes. An event counts as missed if no picture that
shows the thing was given to the detector.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import cv2

from alerts.blobs import BlobStore
from alerts.outbox import Outbox
from edge.bench.box_lap import nobody
from edge.bench.boxes import box_of
from edge.bench.events import FilmTruth, missed
from edge.bench.footage import truth_path
from edge.composition import build_box
from models.detector import Detector


def main() -> None:
    """All films, one after the other."""
    cv2.setNumThreads(1)
    figures = {"events": 0, "missed": 0, "looks": 0, "packets": 0, "decoded": 0, "seconds": 0.0, "cpu_s": 0.0}
    for name in sys.argv[2:]:
        film = Path(name)
        truth = FilmTruth.load(truth_path(film))
        cpu_s = time.process_time()
        looked_s, packets, decoded = _watch(Path(sys.argv[1]), film)
        figures["cpu_s"] += time.process_time() - cpu_s
        figures["events"] += len(truth.events)
        figures["missed"] += len(missed(truth.events, looked_s))
        figures["looks"] += len(looked_s)
        figures["packets"] += packets
        figures["decoded"] += decoded
        figures["seconds"] += truth.seconds
    sys.stdout.write(json.dumps(figures) + "\n")


def _watch(card: Path, film: Path) -> tuple[list[float], int, int]:
    """When the detector looked, in seconds of the film, and how many packets there were and were decoded."""
    with tempfile.TemporaryDirectory(prefix="teawatch-bench-") as folder:
        loaded = box_of(card, [film], Path(folder), pace="fast", gate="auto")
        with Outbox.open(Path(folder) / "outbox.sqlite3", identity=nobody()) as outbox:
            blobs = BlobStore(Path(folder) / "evidence")
            detector = Detector.load(loaded.card)
            looked_s: list[float] = []
            box = build_box(
                loaded,
                [detector],
                outbox,
                blobs,
                lambda _event, /, **_: None,
                until_end=True,
                on_look=lambda look: looked_s.append(look.frame.stream_s),
            )
            box.run()
            (snapshot,) = box.snapshots()
            return looked_s, snapshot.packets, snapshot.decoded


if __name__ == "__main__":
    main()
