"""A box that says every few seconds what it takes. `python -m edge.bench.soak_box CARD SECONDS SAMPLE_S LOOKS URL …`.

Everything of a box but its connection to the centre: eight rules' worth of incidents, pictures and clips, the coverage
ledger, references and metrics that are asked for at every sample. One JSON object a line, until the time is over.
"""

import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import yaml
from prometheus_client import generate_latest

from alerts.blobs import BlobStore
from alerts.clocks import utc_now
from alerts.outbox import Outbox
from edge.bench.box_lap import DEMO, nobody
from edge.composition import build_box
from edge.config import Loaded, read_config
from edge.memory import resident_mib
from edge.outlook import Outlook
from edge.overview import Overview
from edge.pulse import Pulse
from edge.references import ReferenceShelf
from edge.snapshot import BoxSnapshot
from models.detector import Detector

MEBIBYTE = 1024 * 1024
MOST_TROUBLES = 10
"""So many are kept: what is wrong with the box itself, for cameras that do not play are no trouble."""


def main() -> None:
    """Watch the cameras for so long."""
    card, seconds, sample_s, looks_per_s = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    cv2.setNumThreads(1)
    told: Counter[str] = Counter()
    troubles: list[str] = []

    def tell(event: str, /, **fields: object) -> None:
        told[event] += 1
        if event == "trouble" and len(troubles) < MOST_TROUBLES:
            troubles.append(f"{fields['what']}: {fields['reason']}")

    with tempfile.TemporaryDirectory(prefix="teawatch-bench-") as name:
        folder = Path(name)
        loaded = _configured(card, sys.argv[5:], looks_per_s, folder)
        detector = Detector.load(loaded.card)
        with Outbox.open(folder / "outbox.sqlite3", identity=nobody()) as outbox:
            pulse = Pulse(outbox, tell, now=utc_now)
            blobs = BlobStore(folder / "evidence")
            box = build_box(loaded, [detector], outbox, blobs, tell, until_end=False, on_tick=pulse)
            overview = Overview(box, outbox, "bench", now=utc_now)
            pulse.duties += (Outlook(box, outbox, ReferenceShelf(folder / "references"), tell, now=utc_now),)
            runner = threading.Thread(target=box.run)
            runner.start()
            try:
                _sample(overview, {"told": told, "troubles": troubles}, seconds, sample_s)
            finally:
                box.stop()
                runner.join()


def _configured(card: str, urls: Sequence[str], looks_per_s: float, folder: Path) -> Loaded:
    """The demo's street and garden on every camera."""
    street, garden = yaml.safe_load(DEMO.read_text(encoding="utf-8"))["cameras"]
    plan = {
        "zones": [*street["zones"], *garden["zones"]],
        "rules": [*street["rules"], *garden["rules"]],
        "detections_per_s": looks_per_s,
        "gate": "auto",
    }
    cameras = [{"id": f"cam-{number}", "url": url, **plan} for number, url in enumerate(urls, 1)]
    path = folder / "box.yaml"
    path.write_text(yaml.safe_dump({"detector": {"model": card}, "cameras": cameras}), encoding="utf-8")
    return read_config(path)


def _sample(overview: Overview, heard: Mapping[str, object], seconds: float, sample_s: float) -> None:
    began_s = next_s = time.monotonic()
    while (now_s := time.monotonic()) < began_s + seconds:
        generate_latest(overview.registry)
        sys.stdout.write(json.dumps({"at_s": now_s - began_s, **_standing(overview()), **heard}) + "\n")
        sys.stdout.flush()
        next_s += sample_s
        time.sleep(max(0.0, next_s - time.monotonic()))


def _standing(snapshot: BoxSnapshot) -> dict[str, float]:
    cameras = snapshot.cameras
    return {
        "resident_mib": resident_mib(),
        "ring_mib": sum(each.ring_bytes for each in cameras) / MEBIBYTE,
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "reconnects": sum(each.reconnects for each in cameras),
        "damaged": sum(each.damaged for each in cameras),
        "failed": sum(each.state == "failed" for each in cameras),
        "playing": sum(each.state in {"playing", "degraded"} for each in cameras),
        "awake": sum(each.depth == "awake" for each in cameras),
        "looks": sum(each.looks for each in cameras),
        "cpu_s": time.process_time(),
    }


if __name__ == "__main__":
    main()
