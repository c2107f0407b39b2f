"""What happens to one box: it dies, its links fail, its disk fills, its clock jumps, its records are meddled with.

Each fault is put on and taken off again; what it returns says whether it made a gap in the journal. It may take its
time: other boxes have faults of their own meanwhile.
"""

import asyncio
import random
import resource
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from edge.bench.delivery.box import BoxUnderTest
from edge.bench.delivery.link import Link, Weather
from edge.bench.delivery.orders import Boundary, Doom
from edge.bench.delivery.stage import NO_GAP, Gap, Stage

DAY_S = 86_400.0
DOOM_PATIENCE_S = 8.0
PATIENCE_S = 60.0
"""So long a fault waits for what it needs of a box; then it is over all the same."""

SENT_INTO_THE_VOID = 2
MADE_OFF_LINE = 8
LATEST: dict[Boundary, int] = {"statement": 120, "committed": 12, "file": 20, "sent": 12, "confirmed": 6, "uploaded": 4}
"""How many such boundaries a doomed box passes at most: a second or two of its life."""

THIN = Weather(bytes_per_s=32_000, delay_s=0.15)
"""256 kbit/s and 300 ms there and back."""

LOSSY = Weather(delay_s=0.02, loss_share=0.2, retransmit_s=0.2, break_share=0.03)


async def kill(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """At any moment."""
    await asyncio.sleep(chance.uniform(0, 0.4))
    await box.kill()
    await asyncio.sleep(chance.uniform(0, 0.4))
    await box.live()
    return NO_GAP


async def kill_at_boundary(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Before or after one of its writes, a few lives in a row are a few such faults."""
    boundary = chance.choices(list(LATEST), (6, 2, 2, 2, 1, 1))[0]
    await box.doom(Doom(boundary, chance.randint(1, LATEST[boundary])))
    if not await box.die(DOOM_PATIENCE_S):
        await box.kill()
    await box.live()
    return NO_GAP


async def cut(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Reset, and refused for a while."""
    with _broken(box, chance) as links:
        for link in links:
            link.is_refusing = True
            link.cut()
        await asyncio.sleep(chance.uniform(0.1, 1.5))
    return NO_GAP


async def stall(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Silence, at the end of which the connections go on or break."""
    with _broken(box, chance) as links:
        for link in links:
            link.stall()
        await asyncio.sleep(chance.uniform(0.5, 3))
        if chance.random() < 0.5:  # noqa: PLR2004 - as often as not
            for link in links:
                link.cut()
    return NO_GAP


async def half_open(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """The broker, now and then the centre too, has forgotten the connection; the box has to find that out."""
    box.mqtt.forget()
    if chance.random() < 0.5:  # noqa: PLR2004 - as often as not
        box.web.forget()
    head = box.head
    await box.wait(lambda: box.head >= head + SENT_INTO_THE_VOID, PATIENCE_S)
    return NO_GAP


async def thin(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """A slow and distant link."""
    return await _under(THIN, box, chance)


async def lossy(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Packets come late, and connections break."""
    return await _under(LOSSY, box, chance)


async def day_alone(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """A day without any link, on a clock that runs as fast as that takes; at its end the box has today's time."""
    hold_s = chance.uniform(1.5, 3)
    await box.kill()
    with _broken(box, chance, both=True) as links:
        for link in links:
            link.is_refusing = True
            link.cut()
        await box.live(ahead_s=-DAY_S)
        await box.tell("clock", ahead_s=-DAY_S, rate=DAY_S / hold_s)
        await box.tell("hurry")
        await asyncio.sleep(hold_s)
        await box.kill()
        await box.live()
    return NO_GAP


async def disk_full(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Nothing can be written to any file any more: the kernel refuses (RLIMIT_FSIZE), as a full disk does or worse."""
    with full_disk(box.pid):
        await asyncio.sleep(chance.uniform(0.5, 2))
    return NO_GAP


async def outbox_full(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """The outbox may not grow by a page (SQLITE_FULL)."""
    await box.tell("pages", full=True)
    await asyncio.sleep(chance.uniform(0.5, 2))
    await box.tell("pages", full=False)
    return NO_GAP


async def clock_jump(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Hours, days or years ahead or back, and right again."""
    await box.tell("clock", ahead_s=chance.choice((3600, -3600, DAY_S, -DAY_S, 10 * 365 * DAY_S)), rate=1)
    await asyncio.sleep(chance.uniform(0.3, 1.5))
    await box.tell("clock", ahead_s=0, rate=1)
    return NO_GAP


async def born_in_1970(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Killed, and without the time at its next life until a time server answers."""
    await box.kill()
    await box.live(ahead_s=-datetime.now(UTC).timestamp())
    await asyncio.sleep(chance.uniform(0.5, 1.5))
    await box.tell("clock", ahead_s=0, rate=1)
    return NO_GAP


async def doubled(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Records come several times, old ones too."""
    box.meddler.doubles = True
    await asyncio.sleep(chance.uniform(0.5, 1.5))
    box.meddler.doubles = False
    return NO_GAP


async def shuffled(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Records come in another order."""
    box.meddler.shuffles = True
    await asyncio.sleep(chance.uniform(1, 2.5))
    box.meddler.shuffles = False
    return NO_GAP


async def withheld(stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """A few records vanish although they were acknowledged, as often as they are sent, until the centre shows it."""
    box.meddler.withhold(chance.randint(1, 3))
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await box.meddler.has_chosen.wait()
        return await _noticed(stage, box, box.meddler.withheld) if box.meddler.withheld else NO_GAP
    finally:
        box.meddler.relent()


async def removed(stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Somebody takes a record out of the outbox of a box without connection: it is gone for ever, and must show."""
    with _broken(box, chance, both=True) as links:
        for link in links:
            link.is_refusing = True
            link.cut()
        await box.kill()
        await box.live()
        may_have_gone_out = box.head
        await box.tell("hurry")
        await box.wait(lambda: box.head >= may_have_gone_out + MADE_OFF_LINE, PATIENCE_S)
        await box.kill()
        sequence = _remove_one(box, chance, after=may_have_gone_out)
        await box.live()
    return await _noticed(stage, box, {sequence}) if sequence else NO_GAP


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """The process cannot write a byte more to any file. Pipes and sockets are none."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def _broken(box: BoxUnderTest, chance: random.Random, *, both: bool = False) -> Iterator[list[Link]]:
    """One of the box's links, or both; whole again afterwards."""
    links = [box.mqtt, box.web] if both else chance.choice([[box.mqtt], [box.web], [box.mqtt, box.web]])
    try:
        yield links
    finally:
        for link in links:
            link.mend()


async def _under(weather: Weather, box: BoxUnderTest, chance: random.Random) -> Gap:
    with _broken(box, chance, both=True) as links:
        for link in links:
            link.weather = weather
        await asyncio.sleep(chance.uniform(1, 3))
    return NO_GAP


async def _noticed(stage: Stage, box: BoxUnderTest, sequences: Collection[int]) -> Gap:
    """In a journal that was forked a number stands for several records, so that no number need be missing there."""
    return NO_GAP if box.is_forked else await stage.sees_gap(box, sequences)


def _remove_one(box: BoxUnderTest, chance: random.Random, *, after: int) -> int | None:
    """One that neither opened an incident nor announced a file: the violation itself is still told by others."""
    spare = [record for record in box.records() if record.sequence > after and record.is_spare]
    if not spare:
        return None
    record = chance.choice(spare)
    connection = box.outbox()
    with connection:
        connection.execute("DELETE FROM records WHERE sequence = ?", (record.sequence,))
    connection.close()
    box.truth.removed.add((record.epoch, record.sequence))
    return record.sequence
