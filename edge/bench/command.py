"""`teawatch bench edge`: the box's whole pipeline on a clip, over what the bare network could do in the same run.

The ceiling is ONNX Runtime alone, on one prepared input, in one thread, measured before and after the pipeline and
averaged, because other work on the machine comes and goes. The pipeline is the box without its publisher: decode,
convert, detect, track, rules, incidents and evidence into a real outbox on disk.
"""

import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
import yaml
from rich.console import Console
from rich.table import Table

from alerts.blobs import BlobStore
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.outbox import Outbox
from edge.__main__ import build_box
from edge.config import Loaded, read_config
from edge.memory import peak_resident_mib
from models.detector import Detector

app = typer.Typer(add_completion=False)

DEMO = Path(__file__).parents[1] / "demo-box.yaml"
CEILING_RUNS = 60
QUICK_CEILING_RUNS = 20
QUICK_LOOKS_PER_S = 1.0


@app.command()
def edge(
    clip: Annotated[Path, typer.Argument(help="A video file to watch once, as fast as possible.")],
    config: Annotated[Path, typer.Option(help="Cameras, zones and rules; their url and pace are replaced.")] = DEMO,
    dwell_s: Annotated[float, typer.Option(help="Parking limit of every stationary rule.")] = 20.0,
    looks_per_s: Annotated[float, typer.Option(help="Looks per second of stream time and camera.")] = 3.0,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="One look a second, a shorter ceiling.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")] = False,
) -> None:
    """Watch a clip once; analysed frames per second as a share of the bare network's, and the incidents found."""
    if not clip.is_file():
        typer.echo(f"teawatch bench edge: {clip}: no such file", err=True)
        raise typer.Exit(1)
    runs = QUICK_CEILING_RUNS if quick else CEILING_RUNS
    with tempfile.TemporaryDirectory(prefix="teawatch-bench-") as folder:
        rate = QUICK_LOOKS_PER_S if quick else looks_per_s
        loaded = _load(config, clip, Path(folder), looks_per_s=rate, dwell_s=dwell_s)
        detector = Detector.load(loaded.card)
        before = _ceiling_fps(detector, runs)
        incidents, looks, took_s, cpu_s = _watch(loaded, detector, Path(folder))
        ceiling = (before + _ceiling_fps(detector, runs)) / 2
    figures = {
        "ceiling_fps": round(ceiling, 2),
        "busy_fps": round(looks / took_s, 2),
        "ratio": round(looks / took_s / ceiling, 3),
        "looks": looks,
        "cpu_s": round(cpu_s, 1),
        "peak_rss_mb": peak_resident_mib(),
        "incidents": dict(sorted(incidents.items())),
    }
    table = Table("figure", "value", title=f"The box on {clip.name}")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console(stderr=True).print(table)
    if as_json:
        typer.echo(json.dumps(figures))


def _load(config: Path, clip: Path, folder: Path, *, looks_per_s: float, dwell_s: float) -> Loaded:
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    for camera in content["cameras"]:
        camera |= {"url": str(clip.resolve()), "pace": "fast", "detections_per_s": looks_per_s}
        for rule in camera["rules"]:
            if rule["rule"] == "stationary":
                rule.setdefault("parameters", {})["dwell_s"] = dwell_s
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

    with Outbox.open(folder / "outbox.sqlite3", identity=_nobody()) as outbox:
        loop = build_box(loaded, [detector], outbox, BlobStore(folder / "evidence"), tell, until_end=True)
        started_s, cpu_s = time.perf_counter(), time.process_time()
        loop.run()
        took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
        return incidents, loop.looks, took_s, cpu_s


def _nobody() -> Identity:
    """An identity for an outbox that is never sent."""
    key = SigningKey.generate()
    return Identity(
        tenant="bench",
        device="bench",
        signing_key=key,
        centre_key=key.verify_key,
        center_url="http://127.0.0.1:9",
        mqtt_host="127.0.0.1",
        mqtt_port=9,
        mqtt_username="bench",
        mqtt_password="",
    )
