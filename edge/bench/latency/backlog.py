"""Boxes come back with a backlog: how fast it goes, and how long live alerts take meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from alerts.identity import Identity
from edge.bench.delivery.county import County
from edge.bench.delivery.founding import camera_of
from edge.bench.latency.figures import milliseconds
from edge.bench.latency.flood import Flood, answers_s
from edge.bench.latency.processes import Cores, Spoken, move, spoken
from edge.bench.latency.reporting_box import Stretch
from edge.bench.setting import Figures

EVERY_S = 0.5
"""So often something happens before each box, on average."""

BOX = "edge.bench.latency.reporting_box"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A backlog that went at so many a second, and live alerts meanwhile, each with the seconds to its receipt."""

    backlog: int
    rate: float
    live_s: Sequence[float]
    unconfirmed: int
    record_bytes: int


async def measure(county: County, boxes: Sequence[str], *, backlog: int, calm_s: float, cores: Cores) -> Figures:
    """Live alerts alone; the backlog with live alerts beside it, between two floods of half as many alerts each."""
    move(county.centre.pid, cores.measured)
    identities = [Identity.load(county.folder / box) for box in boxes]
    flood = Flood(identities)
    half = backlog // 2
    async with AsyncExitStack() as cleanup:
        running = [
            await cleanup.enter_async_context(reporting(county, box, cores.others, seed=seed))
            for seed, box in enumerate(boxes)
        ]
        calm = await _live(running, 0, calm_s)
        floods_s = await asyncio.to_thread(flood.pour, half)
        busy = await _live(running, backlog // len(boxes), 0.0)
        floods_s += await asyncio.to_thread(flood.pour, half)
    answered_s = await asyncio.to_thread(answers_s, identities[0], busy.record_bytes)
    move(county.centre.pid, cores.others)
    intake_rate = 2 * half / floods_s
    return {
        "drain_share": round(busy.rate / intake_rate, 2),
        "drained_per_s": round(busy.rate),
        "intake_per_s": round(intake_rate),
        "drain_live_p95_ms": milliseconds(busy.live_s, 0.95),
        "live_p95_ms": milliseconds(calm.live_s, 0.95),
        "drain_live_p50_ms": milliseconds(busy.live_s, 0.5),
        "live_p50_ms": milliseconds(calm.live_s, 0.5),
        "broker_answer_p95_ms": milliseconds(answered_s, 0.95),
        "backlog": busy.backlog,
        "drain_live_alerts": len(busy.live_s),
        "live_alerts": len(calm.live_s),
        "live_unconfirmed": calm.unconfirmed + busy.unconfirmed,
    }


async def _live(running: Sequence[Spoken], each: int, calm_s: float) -> Period:
    """Let every box connect with so much backlog; the period ends when all of it is gone, after `calm_s` at least."""
    await _tell(running, Stretch(backlog=each, every_s=EVERY_S).to_json())
    sizes = [said["bytes"] for said in await _all(running, "ready")]
    await _tell(running)
    began_s = min(said["at_s"] for said in await _all(running, "connected"))
    await asyncio.sleep(calm_s)
    ended_s = max(said["at_s"] for said in await _all(running, "delivered"))
    await _tell(running)
    said = await _all(running, "measured")
    live = [(made_s, there_s) for box in said for made_s, there_s in box["live"]]
    return Period(
        backlog=each * len(running),
        rate=each * len(running) / (ended_s - began_s),
        live_s=[there_s - made_s for made_s, there_s in live if not each or made_s <= ended_s],
        unconfirmed=sum(box["unconfirmed"] for box in said),
        record_bytes=max(sizes),
    )


async def _tell(running: Sequence[Spoken], line: str = "go on") -> None:
    await asyncio.gather(*(box.tell(line) for box in running))


async def _all(running: Sequence[Spoken], event: str) -> Sequence[Mapping[str, Any]]:
    return await asyncio.gather(*(box.expect(event) for box in running))


@asynccontextmanager
async def reporting(county: County, box: str, cores: Collection[int], *, seed: int = 7) -> AsyncIterator[Spoken]:
    """A box that only reports, as a process."""
    arguments = (str(county.folder / box), camera_of(box), str(seed))
    async with spoken(BOX, arguments, log=county.folder / f"{box}.log", cores=cores) as process:
        yield process
