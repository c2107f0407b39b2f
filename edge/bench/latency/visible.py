"""From a picture that comes in to a task in an officer's window, everything on one machine, inference left out."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.bench.delivery.county import County
from edge.bench.delivery.founding import JUDGE, camera_of
from edge.bench.latency.figures import milliseconds
from edge.bench.latency.processes import Cores, spoken
from edge.bench.latency.watching_box import Watch
from edge.bench.latency.window import Sights, opened
from edge.bench.setting import Figures

CAMERAS = 4
WARM_S = 3.0
SETTLE_S = 0.5
AIM_S = 0.7
"""What takes longer is late, and told with its stages."""

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
            await process.expect("watching")
            await window.await_first()
            await process.tell()
            said = await process.expect("measured")
        leads = {lead["incident"]: lead for lead in await county.ask_all("/api/v1/leads")}
        ids = [leads[each["incident"]]["id"] if each["incident"] in leads else "" for each in said["opened"]]
        sights = await window.await_all(ids)
    return figures_of(said, leads, sights)


def figures_of(said: Mapping[str, Any], leads: Mapping[str, Mapping[str, Any]], sights: Sights) -> Figures:
    """`visible_…` count from the picture to the page, `visible_outbox_…` to the commit on the box.

    `visible_late` has the stages of every task that took longer than is asked for (`way_of`).
    """
    whole, own, rest, late, missed = [], [], [], [], 0
    for each in said["opened"]:
        lead = leads.get(each["incident"])
        if lead is None or lead["id"] not in sights.shown:
            missed += 1
            continue
        at_s = sights.shown[lead["id"]]
        whole.append(at_s - each["captured_s"] - each["inference_s"])
        own.append(each["committed_s"] - each["captured_s"] - each["inference_s"])
        rest.append(at_s - each["committed_s"])
        if whole[-1] > AIM_S:
            late.append(way_of(each, lead, sights))
    return {
        "visible_p50_ms": milliseconds(whole, 0.5),
        "visible_p95_ms": milliseconds(whole, 0.95),
        "visible_outbox_p95_ms": milliseconds(own, 0.95),
        "visible_after_outbox_p95_ms": milliseconds(rest, 0.95),
        "visible_tasks": len(whole),
        "visible_missed": missed,
        "visible_late": late,
        "visible_busy_share": round(said["busy_share"], 2),
        "visible_looks_per_s": round(said["looks_per_s"] * CAMERAS, 1),
    }


def way_of(opened: Mapping[str, Any], lead: Mapping[str, Any], sights: Sights) -> Figures:
    """A task's stages in milliseconds since its picture came in; None where that is not known.

    `inference` is how long that took. Then: the alert was `committed` on the box and `sent` to the broker; the centre
    began to take it in (`received`); the page heard of it, asked for the leads, had a connection for that, had the
    answer, and had it `shown`. `confirmed` is when the box had the centre's receipt, which leaves after the commit.
    """
    fetch = sights.fetch_that_showed(lead["id"])
    stages = {
        "committed": opened["committed_s"],
        "sent": opened["sent_s"],
        "received": datetime.fromisoformat(lead["received_at"]).timestamp(),
        "confirmed": opened["confirmed_s"],
        "heard": sights.heard.get(lead["id"]),
        "asked": fetch and fetch.asked_s,
        "connected": fetch and fetch.sent_s,
        "answered": fetch and fetch.answered_s,
        "shown": sights.shown[lead["id"]],
    }
    since_s = opened["captured_s"]
    return {"inference": round(1000 * opened["inference_s"])} | {
        name: None if at_s is None else round(1000 * (at_s - since_s)) for name, at_s in stages.items()
    }
