"""From a picture that comes in to a task in an officer's window, everything on one machine, inference left out."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.bench.delivery.county import County
from edge.bench.delivery.founding import JUDGE, camera_of
from edge.bench.latency.figures import milliseconds
from edge.bench.latency.processes import Cores, spoken
from edge.bench.latency.watching_box import Watch
from edge.bench.latency.window import opened
from edge.bench.setting import Figures

CAMERAS = 4
WARM_S = 3.0
SETTLE_S = 0.5
BOX = "edge.bench.latency.watching_box"


async def measure(county: County, box: str, clip: Path, *, seconds: float, cores: Cores) -> Figures:
    """Let the box watch for so long. Raises NothingToMeasure."""
    state = county.folder / box
    watch = Watch(
        state=str(state),
        cameras=tuple(camera_of(box, number) for number in range(1, CAMERAS + 1)),
        clip=str(clip),
        warm_s=WARM_S,
        seconds=seconds,
        settle_s=SETTLE_S,
    )
    log = county.folder / "watching.log"
    async with opened(county.url, JUDGE, county.judge_password) as window:
        async with spoken(BOX, [json.dumps(asdict(watch))], log=log, cores=cores.measured) as process:
            said = await process.expect("measured")
        leads = {lead["incident"]: lead["id"] for lead in await county.ask_all("/api/v1/leads")}
        seen = await window.await_all([leads.get(each["incident"], "") for each in said["opened"]])
    return figures_of(said, leads, seen)


def figures_of(said: Mapping[str, Any], leads: Mapping[str, str], seen: Mapping[str, float]) -> Figures:
    """`visible_…` count from the picture to the page, `visible_outbox_…` to the commit on the box."""
    whole, own, rest, missed = [], [], [], 0
    for each in said["opened"]:
        at_s = seen.get(leads.get(each["incident"], ""))
        if at_s is None:
            missed += 1
            continue
        whole.append(at_s - each["captured_s"] - each["inference_s"])
        own.append(each["committed_s"] - each["captured_s"] - each["inference_s"])
        rest.append(at_s - each["committed_s"])
    return {
        "visible_p50_ms": milliseconds(whole, 0.5),
        "visible_p95_ms": milliseconds(whole, 0.95),
        "visible_outbox_p95_ms": milliseconds(own, 0.95),
        "visible_after_outbox_p95_ms": milliseconds(rest, 0.95),
        "visible_tasks": len(whole),
        "visible_missed": missed,
        "visible_busy_share": round(said["busy_share"], 2),
        "visible_looks_per_s": round(said["looks_per_s"] * CAMERAS, 1),
    }
