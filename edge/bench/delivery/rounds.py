"""Rounds: so many faults on a fresh county each, seeded by its number, kept in a file once it is over.

So a long run can be broken off and goes on, and several machines can share it: the files of one folder are one result.
"""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from edge.bench.delivery import births
from edge.bench.delivery import box as box_under_test
from edge.bench.delivery import county as counties
from edge.bench.delivery.judgement import Verdict, judge
from edge.bench.delivery.kinds import TABLE, Fault, draw
from edge.bench.delivery.link import Link
from edge.bench.delivery.site import Site
from edge.bench.delivery.stage import Stage
from edge.bench.delivery.storm import Outcome, Storm

ROUND_S = 3600.0
"""A round that takes longer has hung: an error, not a result."""

STILL_S = 300.0
"""Where nothing has moved for so long, nothing will: far longer than a centre takes to start on a busy machine."""

MOST_TROUBLES = 40
NURSERY = "edge.bench.delivery.nursery"
ROUNDS_OF_A_SEED = 100_003


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What rounds are made of: one after the other of these sites. `module` is the nursery of their boxes."""

    seed: int
    boxes: int
    sites: Sequence[Site]
    module: str = NURSERY
    clear_s: float = STILL_S

    def site_of(self, number: int) -> Site:
        """Where this round takes place."""
        return self.sites[number % len(self.sites)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round that is over. `took_ms`: each commit, from the look to its return.

    `findings` say one by one what is lost, doubled or unnoticed, and `kept` where the round's files are then;
    `troubles` are what boxes and centre complained of on the way, `falls` how often one of them ended by itself.
    """

    number: int
    seed: int
    site: str
    verdict: Verdict
    outcomes: tuple[Outcome, ...]
    took_ms: tuple[float, ...]
    troubles: tuple[str, ...]
    seconds: float
    falls: int = 0
    rotations: int = 0
    findings: tuple[str, ...] = ()
    kept: str = ""
    table: str = ""
    """Of which table of kinds its faults were drawn; empty in rounds from before that was noted."""


def faults_of(number: int, count: int, plan: Plan) -> Sequence[Fault]:
    """The faults of this round."""
    return draw(count, plan.seed * ROUNDS_OF_A_SEED + number, plan.site_of(number))


async def hold(number: int, faults: Sequence[Fault], plan: Plan) -> Round:
    """One round, whose folder stays if something was not as promised. Raises NothingToMeasure, TimeoutError."""
    began_s = time.monotonic()
    folder = _make_folder()
    keeps = False
    try:
        done = await _hold_in(folder, number, faults, plan, began_s)
        keeps = bool(done.findings)
    except Exception as error:
        keeps = True
        error.add_note(f"round {number + 1} on {plan.site_of(number).name}: its files are in {folder}")
        raise
    finally:
        if not keeps:
            shutil.rmtree(folder, ignore_errors=True)
    return done


def _make_folder() -> Path:
    """PostgreSQL, which is somebody else, has to reach its own folder below."""
    folder = Path(tempfile.mkdtemp(prefix="teawatch-delivery-"))
    folder.chmod(0o711)
    return folder


async def _hold_in(folder: Path, number: int, faults: Sequence[Fault], plan: Plan, began_s: float) -> Round:
    async with asyncio.timeout(ROUND_S), AsyncExitStack() as cleanup:
        stage = await _set_the_stage(folder, number, plan, cleanup)
        async with _watched(stage):
            storm = Storm(stage, faults, clear_s=plan.clear_s)
            outcomes = await storm.rage()
            verdict, findings = await judge(stage.county, stage.boxes, stage.copies)
        everyone = (*stage.boxes, *stage.copies)
    unseen = [f"{each.kind}: never shown as missing: {each.gap.what}" for each in outcomes if not each.gap.is_fair]
    findings = [*findings, *unseen]
    troubles = {f"{box.key}: {trouble}" for box in everyone for trouble in box.troubles}
    return Round(
        number=number,
        seed=plan.seed,
        site=plan.site_of(number).name,
        verdict=verdict,
        outcomes=tuple(outcomes),
        took_ms=tuple(ms for box in everyone for ms in box.took_ms),
        troubles=(*stage.county.falls, *sorted(troubles))[:MOST_TROUBLES],
        seconds=round(time.monotonic() - began_s, 1),
        falls=len(stage.county.falls) + sum(box.falls for box in everyone),
        rotations=sum(box.rotations for box in everyone),
        findings=(*findings, *(f"nothing has moved for {plan.clear_s:.0f} s: {what}" for what in storm.stuck)),
        kept=str(folder) if findings or storm.stuck else "",
        table=TABLE,
    )


@asynccontextmanager
async def _watched(stage: Stage) -> AsyncIterator[None]:
    """What ends by itself meanwhile is started again."""
    watching = asyncio.create_task(stage.county.watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _set_the_stage(folder: Path, number: int, plan: Plan, cleanup: AsyncExitStack) -> Stage:
    names = [f"box-{letter + 1}" for letter in range(plan.boxes)]
    county = await cleanup.enter_async_context(counties.opened(folder, plan.site_of(number)))
    chance = random.Random(plan.seed * ROUNDS_OF_A_SEED + number)  # noqa: S311 - no secret
    centre_link = await cleanup.enter_async_context(Link(county.broker_port, chance))
    if county.mosquitto:
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
    return folder / f"seed-{plan.seed}-{plan.site_of(number).name}-{number:05}-{faults}.json"


def save(path: Path, done: Round) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    passing = path.with_suffix(".part")
    passing.write_bytes(_ROUND.dump_json(done))
    passing.replace(path)


def load(path: Path) -> Round | None:
    """What `save` wrote; None where it did not."""
    return _ROUND.validate_json(path.read_bytes()) if path.exists() else None
