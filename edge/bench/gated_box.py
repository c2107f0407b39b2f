"""What watching a film costs with and without the gate. `python -m edge.bench.gated_box CARD FILM …`.

Each film is watched once at the demo's three looks a second, first with the gate and then without; the incidents of
the second pass are what the first should have found too.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import cv2
import yaml

from alerts.blobs import BlobStore
from alerts.outbox import Outbox
from edge.bench.box_lap import DEMO, nobody
from edge.composition import build_box
from edge.config import read_config
from models.detector import Detector


@dataclass(frozen=True, slots=True)
class Happening:
    """An incident's kind, and between which seconds of the film it was open."""

    kind: str
    begin_s: float
    end_s: float


def main() -> None:
    """One line about each film."""
    cv2.setNumThreads(1)
    films = []
    for name in sys.argv[2:]:
        gated_cpu_s, gated, seconds, frames = _watch(Path(sys.argv[1]), Path(name), "auto")
        always_cpu_s, always, _, _ = _watch(Path(sys.argv[1]), Path(name), "always")
        films.append(
            {
                "film": Path(name).name,
                "seconds": seconds,
                "frames": frames,
                "gated_cpu_s": gated_cpu_s,
                "always_cpu_s": always_cpu_s,
                "gated": Counter(each.kind for each in gated),
                "always": Counter(each.kind for each in always),
                "recall": recall(gated, always),
            }
        )
    sys.stdout.write(json.dumps({"films": films}) + "\n")


def recall(found: Sequence[Happening], known: Sequence[Happening]) -> float:
    """The share of what is known that something found of the same kind overlaps in time.

    Not their numbers: one detection between two visits may make one incident of them.
    """
    overlapped = [
        any(each.kind == one.kind and each.begin_s <= one.end_s and one.begin_s <= each.end_s for each in found)
        for one in known
    ]
    return sum(overlapped) / len(overlapped) if overlapped else 1.0


def _watch(card: Path, film: Path, gate: str) -> tuple[float, list[Happening], float, int]:
    """CPU seconds, incidents, and the film's seconds and frames."""
    incidents: dict[str, Happening] = {}

    def tell(event: str, /, **fields: object) -> None:
        if event == "incident_opened":
            incidents[str(fields["incident"])] = Happening(str(fields["kind"]), seen_s[0], inf)
        elif event == "incident_closed":
            name = str(fields["incident"])
            incidents[name] = replace(incidents[name], end_s=seen_s[0])

    with tempfile.TemporaryDirectory(prefix="teawatch-bench-") as folder:
        content = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
        street, garden = content["cameras"]
        street |= {"url": str(film.resolve()), "pace": "fast", "gate": gate}
        street["zones"] += garden["zones"]
        street["rules"] += garden["rules"]
        path = Path(folder) / "box.yaml"
        path.write_text(yaml.safe_dump({"detector": {"model": str(card)}, "cameras": [street]}), encoding="utf-8")
        loaded = read_config(path)
        detector = Detector.load(loaded.card)
        seen_s = [0.0]
        with Outbox.open(Path(folder) / "outbox.sqlite3", identity=nobody()) as outbox:
            box = build_box(
                loaded,
                [detector],
                outbox,
                BlobStore(Path(folder) / "evidence"),
                tell,
                until_end=True,
                on_look=lambda look: seen_s.__setitem__(0, look.frame.stream_s),
            )
            cpu_s = time.process_time()
            box.run()
            took_s = time.process_time() - cpu_s
            return took_s, list(incidents.values()), seen_s[0], box.snapshots()[0].packets


if __name__ == "__main__":
    main()
