"""How long an alert takes from capture to outbox. `python -m edge.bench.rated_box CARD SECONDS CAMERAS LOOKS CLIP`.

A box plays the clip for some cameras in its own time, at a load that it is rated for. Zones across the street make
enough incidents open and close to count. The time of inference itself is taken off.
"""

import json
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from alerts.blobs import BlobStore
from alerts.outbox import Outbox
from edge.bench.box_lap import nobody
from edge.bench.boxes import box_of
from edge.composition import build_box
from models.detector import Detector

STRIPES = 12


def zones(stripes: int = STRIPES) -> list[dict[str, Any]]:
    """Upright stripes side by side, over the whole picture."""
    edges = [at / stripes for at in range(stripes + 1)]
    return [
        {"id": f"stripe-{at}", "polygon": [[left, 0.0], [right, 0.0], [right, 1.0], [left, 1.0]]}
        for at, (left, right) in enumerate(pairwise(edges))
    ]


def rules(stripes: int = STRIPES) -> list[dict[str, Any]]:
    """Whoever walks through a stripe is an incident, soon over."""
    return [
        {
            "id": f"crossing-{at}",
            "rule": "intrusion",
            "zone": f"stripe-{at}",
            "parameters": {"min_s": 0.3, "close_after_s": 0.5, "unseen_s": 0.5},
        }
        for at in range(stripes)
    ]


def main() -> None:
    """Watch for so long, and say the percentiles in milliseconds."""
    card, seconds, cameras, looks_per_s = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="teawatch-bench-") as folder:
        loaded = box_of(
            card,
            [Path(sys.argv[5])] * cameras,
            Path(folder),
            rules=rules(),
            zones=zones(),
            pace="loop",
            gate="always",
            detections_per_s=looks_per_s,
        )
        detector = Detector.load(loaded.card)
        with Outbox.open(Path(folder) / "outbox.sqlite3", identity=nobody()) as outbox:
            blobs = BlobStore(Path(folder) / "evidence")
            box = build_box(loaded, [detector], outbox, blobs, lambda _event, /, **_: None, until_end=False)
            runner = threading.Thread(target=box.run)
            runner.start()
            box.busy_share()
            time.sleep(seconds)
            busy_share = box.busy_share()
            box.stop()
            runner.join()
    samples = box.latencies.outbox_ms
    p50, p95, p99 = np.percentile(samples, [50, 95, 99]).tolist() if samples else (None, None, None)
    sys.stdout.write(
        json.dumps({"alerts": len(samples), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "busy_share": busy_share})
        + "\n"
    )


if __name__ == "__main__":
    main()
