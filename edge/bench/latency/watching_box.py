"""A whole box at the load it is rated for: `python -m edge.bench.latency.watching_box JSON`.

Cameras, gate, detector, rules, recorder, publisher and uploader as in `edge/composition.py`, in one session. It says of
each incident that it opened when the picture came in, how long its inference took, and when the alert was committed.
"""

import json
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from alerts.blobs import BlobStore
from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.publisher import Publisher
from alerts.uploader import Uploader
from edge.announcements import set_up_log
from edge.bench.boxes import box_of
from edge.bench.delivery.ending import end_with_parent
from edge.bench.rated_box import rules, zones
from edge.composition import build_box
from edge.config import Loaded
from edge.settings import EVIDENCE_FOLDER, OUTBOX_FILE
from edge.watch import Look
from models.cards import load_card
from models.detections import Detections
from models.detector import Detector
from models.letterbox import Pixels, Shrinkable

RATED_SHARE = 0.3
"""Of the core, for inference alone; with all the rest it comes to some two thirds, the load of `outbox_p95_ms`."""

MOST_LOOKS_PER_S = 3.0
STRIPES = 8
"""Of each camera's picture: two or three tasks a second open."""

WARMING_RUNS = 3
RUNS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """`cameras` are those registered for the box; all of them see `clip`.

    What opens in the first `warm_s`, and until it is told to go on, is not counted: a centre and a browser that were
    just started have templates, codecs and programs still to load.
    """

    state: str
    cameras: tuple[str, ...]
    clip: str
    warm_s: float
    seconds: float
    settle_s: float


class TimedDetector(Detector):
    """Remembers how long it took last."""

    last_s = 0.0

    def detect(self, picture: Pixels | Shrinkable, *, score_threshold: float | None = None) -> Detections:
        """As the detector does."""
        began_s = time.perf_counter()
        found = super().detect(picture, score_threshold=score_threshold)
        self.last_s = time.perf_counter() - began_s
        return found

    def usual_s(self) -> float:
        """How long a run takes here and now."""
        picture = np.zeros((720, 1280, 3), np.uint8)
        times = []
        for _ in range(WARMING_RUNS + RUNS):
            self.detect(picture)
            times.append(self.last_s)
        return float(np.median(times[WARMING_RUNS:]))


class Notes:
    """What was opened, and in seconds since 1970 when its picture came in, and what became of the alert.

    That is: committed, given to the broker's connection, confirmed by a receipt of the centre.
    """

    def __init__(self, detector: TimedDetector, outbox: Outbox) -> None:
        self._detector = detector
        self._outbox = outbox
        self._lock = threading.Lock()
        self._new: list[tuple[str, int, float]] = []
        self._sent_s: dict[int, float] = {}
        self._confirmed_s: dict[int, float] = {}
        self._opened: list[dict[str, Any]] = []

    def tell(self, event: str, /, **fields: Any) -> None:  # noqa: ANN401 - whatever the box says
        """The box's words, said once the commit has returned."""
        if event == "alert_queued" and fields["phase"] == "opened":
            self._new.append((fields["incident"], fields["sequence"], time.time()))

    def hear(self, event: str, detail: Mapping[str, Any]) -> None:
        """The publisher's words."""
        now_s = time.time()
        if event == "record_sent":
            with self._lock:
                self._sent_s.setdefault(detail["sequence"], now_s)
        elif event == "records_confirmed":
            with self._lock:
                open_ones = self._sent_s.keys() - self._confirmed_s.keys()
                self._confirmed_s |= dict.fromkeys(open_ones - self._outbox.still_waiting(list(open_ones)), now_s)

    def looked(self, look: Look) -> None:
        """The look after which they were said."""
        for incident, sequence, committed_s in self._new:
            self._opened.append(
                {
                    "incident": incident,
                    "sequence": sequence,
                    "captured_s": look.frame.utc.timestamp(),
                    "inference_s": self._detector.last_s,
                    "committed_s": committed_s,
                }
            )
        self._new.clear()

    def forget(self) -> None:
        """What opened until now is not counted."""
        self._opened.clear()

    @property
    def opened(self) -> list[dict[str, Any]]:
        """One for each incident, `sent_s` and `confirmed_s` None where that did not happen."""
        with self._lock:
            return [
                each
                | {"sent_s": self._sent_s.get(each["sequence"]), "confirmed_s": self._confirmed_s.get(each["sequence"])}
                for each in self._opened
            ]


def main() -> None:
    """Says `watching`, waits for a word, and says `measured` at the end."""
    end_with_parent()
    set_up_log(as_json=True, quiet=True)
    cv2.setNumThreads(1)
    given = json.loads(sys.argv[1])
    watch = Watch(**given | {"cameras": tuple(given["cameras"])})
    state = Path(watch.state)
    card = load_card("yolov3_tiny")
    detector = TimedDetector.load(card)
    usual_s = detector.usual_s()
    looks_per_s = min(MOST_LOOKS_PER_S, RATED_SHARE / usual_s / len(watch.cameras))
    loaded = box_of(
        Path(card.name),
        [Path(watch.clip)] * len(watch.cameras),
        state,
        ids=watch.cameras,
        rules=rules(STRIPES),
        zones=zones(STRIPES),
        pace="loop",
        gate="always",
        detections_per_s=round(looks_per_s, 2),
    )
    busy_share, opened = _run(watch, loaded, detector)
    answer = {"busy_share": busy_share, "looks_per_s": looks_per_s, "inference_s": usual_s, "opened": opened}
    _say("measured", **answer)
    sys.stdin.readline()


def _say(event: str, **fields: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def _run(watch: Watch, loaded: Loaded, detector: TimedDetector) -> tuple[float, list[dict[str, Any]]]:
    """Watch and deliver for so long, and a little longer for what is under way; its busy share, what opened."""
    state = Path(watch.state)
    identity, blobs = Identity.load(state), BlobStore(state / EVIDENCE_FOLDER)
    with Outbox.open(state / OUTBOX_FILE, identity=identity) as outbox:
        notes = Notes(detector, outbox)
        box = build_box(loaded, [detector], outbox, blobs, notes.tell, until_end=False, on_look=notes.looked)
        with Publisher(outbox, identity, on_event=notes.hear), Uploader(outbox, blobs, identity):
            runner = threading.Thread(target=box.run)
            runner.start()
            time.sleep(watch.warm_s)
            _say("watching")
            sys.stdin.readline()
            notes.forget()
            box.busy_share()
            time.sleep(watch.seconds)
            busy_share = box.busy_share()
            box.stop()
            runner.join()
            time.sleep(watch.settle_s)
        return busy_share, notes.opened


if __name__ == "__main__":
    main()
