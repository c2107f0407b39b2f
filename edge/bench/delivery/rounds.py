"""Rounds: so many faults on a fresh county each, seeded by its number, kept in a file once it is over.

So a long run can be broken off and goes on, and several machines can share it: the files of one folder are one result.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from edge.bench.delivery import births
from edge.bench.delivery import box as box_under_test
from edge.bench.delivery import county as counties
from edge.bench.delivery.county import Site
from edge.bench.delivery.judgement import Verdict, judge
from edge.bench.delivery.kinds import Fault, draw
from edge.bench.delivery.link import Link
from edge.bench.delivery.stage import Stage
from edge.bench.delivery.storm import Outcome, Storm

ROUND_S = 420.0
"""A round that takes longer has hung: an error, not a result."""

MOST_TROUBLES = 20
NURSERY = "edge.bench.delivery.nursery"
ROUNDS_OF_A_SEED = 100_003


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a round is made of. `module` is the nursery of its boxes."""

    seed: int
    boxes: int
    site: Site
    module: str = NURSERY
    clear_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round that is over. `took_ms`: each commit, from the look to its return."""

    number: int
    seed: int
    verdict: Verdict
    outcomes: tuple[Outcome, ...]
    took_ms: tuple[float, ...]
    troubles: tuple[str, ...]
    seconds: float


def faults_of(number: int, count: int, plan: Plan) -> Sequence[Fault]:
    """The faults of this round."""
    return draw(count, plan.seed * ROUNDS_OF_A_SEED + number, mosquitto=plan.site.broker == "mosquitto")


async def hold(number: int, faults: Sequence[Fault], plan: Plan) -> Round:
    """One round in a folder that is gone afterwards. Raises NothingToMeasure, TimeoutError."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="teawatch-delivery-") as name:
        async with asyncio.timeout(ROUND_S), AsyncExitStack() as cleanup:
            stage = await _set_the_stage(Path(name), number, plan, cleanup)
            outcomes = await Storm(stage, faults, clear_s=plan.clear_s).rage()
            verdict = await judge(stage.county, stage.boxes, stage.copies)
            everyone = (*stage.boxes, *stage.copies)
    return Round(
        number=number,
        seed=plan.seed,
        verdict=verdict,
        outcomes=tuple(outcomes),
        took_ms=tuple(ms for box in everyone for ms in box.took_ms),
        troubles=tuple(sorted({trouble for box in everyone for trouble in box.troubles}))[:MOST_TROUBLES],
        seconds=round(time.monotonic() - began_s, 1),
    )


async def _set_the_stage(folder: Path, number: int, plan: Plan, cleanup: AsyncExitStack) -> Stage:
    names = [f"box-{letter + 1}" for letter in range(plan.boxes)]
    county = await cleanup.enter_async_context(counties.opened(folder, plan.site))
    chance = random.Random(plan.seed * ROUNDS_OF_A_SEED + number)  # noqa: S311 - no secret
    centre_link = await cleanup.enter_async_context(Link(county.broker_port, chance))
    if not county.is_embedded:
        county.centre_mqtt_port = centre_link.port
    nursery = await cleanup.enter_async_context(births.bearing(plan.module, folder / "boxes.log"))
    await county.set_up(names)
    boxes = [
        await cleanup.enter_async_context(
            box_under_test.opened(
                name,
                folder / name,
                ports=(county.broker_port, county.web_port),
                seed=chance.getrandbits(31),
                nursery=nursery,
            )
        )
        for name in names
    ]
    await asyncio.gather(*(box.live() for box in boxes))
    return Stage(county, boxes, centre_link, cleanup, nursery)


_ROUND = TypeAdapter(Round)


def round_file(folder: Path, plan: Plan, number: int, faults: int) -> Path:
    """Where a round's result stands; another seed or another make of the county has files of its own."""
    return folder / f"seed-{plan.seed}-{plan.site.name}-{number:05}-{faults}.json"


def save(path: Path, done: Round) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    passing = path.with_suffix(".part")
    passing.write_bytes(_ROUND.dump_json(done))
    passing.replace(path)


def load(path: Path) -> Round | None:
    """What `save` wrote; None where it did not."""
    return _ROUND.validate_json(path.read_bytes()) if path.exists() else None
