"""The shipped network and the demo's rules on a clip: how much of the bare network is left, and what is found."""

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from alerts.blobs import BlobStore
from alerts.outbox import Outbox
from edge.bench.box_lap import nobody
from edge.composition import build_box
from edge.config import Loaded, read_config
from edge.memory import peak_resident_mib
from models.detector import Detector

KEYS = ("street_ceiling_fps", "street_fps", "ratio", "looks", "cpu_s", "peak_rss_mb", "incidents")


@dataclass(frozen=True, slots=True)
class Options:
    """What may be asked differently: the cameras, how often they look, the parking limit of every stationary rule."""

    config: Path
    looks_per_s: float
    dwell_s: float
    ceiling_runs: int


def watch_once(clip: Path, options: Options) -> Mapping[str, object]:
    """One pass over the clip between two runs of the ceiling."""
    with tempfile.TemporaryDirectory(prefix="teawatch-bench-") as folder:
        loaded = _load(clip, Path(folder), options)
        detector = Detector.load(loaded.card)
        before = _ceiling_fps(detector, options.ceiling_runs)
        incidents, looks, took_s, cpu_s = _watch(loaded, detector, Path(folder))
        ceiling = (before + _ceiling_fps(detector, options.ceiling_runs)) / 2
    return {
        "street_ceiling_fps": round(ceiling, 2),
        "street_fps": round(looks / took_s, 2),
        "ratio": round(looks / took_s / ceiling, 3),
        "looks": looks,
        "cpu_s": round(cpu_s, 1),
        "peak_rss_mb": peak_resident_mib(),
        "incidents": dict(sorted(incidents.items())),
    }


def _load(clip: Path, folder: Path, options: Options) -> Loaded:
    content = yaml.safe_load(options.config.read_text(encoding="utf-8"))
    for camera in content["cameras"]:
        camera |= {"url": str(clip.resolve()), "pace": "fast", "detections_per_s": options.looks_per_s}
        camera["gate"] = "always"
        for rule in camera["rules"]:
            if rule["rule"] == "stationary":
                rule.setdefault("parameters", {})["dwell_s"] = options.dwell_s
    path = folder / "box.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return read_config(path)


def _ceiling_fps(detector: Detector, runs: int) -> float:
    """Runs per second of the bare session on one prepared input."""
    size_px = detector.card.input.size_px
    tensor = np.random.default_rng(7).random((1, 3, size_px, size_px), dtype=np.float32)
    run = detector.bare_run(tensor)
    for _ in range(3):
        run()
    started_s = time.perf_counter()
    for _ in range(runs):
        run()
    return runs / (time.perf_counter() - started_s)


def _watch(loaded: Loaded, detector: Detector, folder: Path) -> tuple[Counter[str], int, float, float]:
    """Incidents by kind, looks, wall seconds and CPU seconds of one pass."""
    incidents: Counter[str] = Counter()

    def tell(event: str, /, **fields: object) -> None:
        if event == "incident_opened":
            incidents[str(fields["kind"])] += 1
        elif event == "trouble":
            raise RuntimeError(f"{fields['what']}: {fields['reason']}")

    with Outbox.open(folder / "outbox.sqlite3", identity=nobody()) as outbox:
        box = build_box(loaded, [detector], outbox, BlobStore(folder / "evidence"), tell, until_end=True)
        started_s, cpu_s = time.perf_counter(), time.process_time()
        box.run()
        took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
        return incidents, box.looks, took_s, cpu_s
