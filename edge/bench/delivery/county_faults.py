"""What happens to the centre, its broker and the link between them; every box suffers under it."""

import asyncio
import os
import random
import signal
from contextlib import suppress

from edge.bench.delivery.box_faults import full_disk
from edge.bench.delivery.stage import NO_GAP, Gap, Stage

LATEST_WRITE = 150
DOOM_PATIENCE_S = 5.0
UNHEARD_S = 2.0
"""So long boxes speak to a centre that cannot hear them before the clock of its recovery starts."""


async def kill_centre(stage: Stage, chance: random.Random) -> Gap:
    """At any moment."""
    await stage.county.centre.kill()
    await asyncio.sleep(chance.uniform(0, 1))
    await stage.county.start_centre()
    return NO_GAP


async def kill_centre_at_write(stage: Stage, chance: random.Random) -> Gap:
    """Before or after one of its writes, from inside."""
    centre = stage.county.centre
    stage.county.doom_centre(chance.randint(1, LATEST_WRITE))
    with suppress(TimeoutError):
        async with asyncio.timeout(DOOM_PATIENCE_S):
            await centre.wait()
    await centre.kill()
    await stage.county.start_centre()
    return NO_GAP


async def centre_disk_full(stage: Stage, chance: random.Random) -> Gap:
    """Nothing can be written to the centre's files."""
    with full_disk(stage.county.centre.pid):
        await asyncio.sleep(chance.uniform(0.5, 3))
    return NO_GAP


async def cut_centre(stage: Stage, chance: random.Random) -> Gap:
    """Between centre and broker: reset, and refused for a while."""
    link = stage.centre_link
    link.is_refusing = True
    link.cut()
    await asyncio.sleep(chance.uniform(0.1, 1.5))
    link.mend()
    return NO_GAP


async def stall_centre(stage: Stage, chance: random.Random) -> Gap:
    """Between centre and broker: silence."""
    stage.centre_link.stall()
    await asyncio.sleep(chance.uniform(0.5, 3))
    stage.centre_link.mend()
    return NO_GAP


async def centre_half_open(stage: Stage, _chance: random.Random) -> Gap:
    """The broker has forgotten the centre's connection; the centre has to find that out by itself."""
    stage.centre_link.forget()
    await asyncio.sleep(UNHEARD_S)
    return NO_GAP


async def kill_broker(stage: Stage, chance: random.Random) -> Gap:
    """It comes back with what its disk has: sessions and queues as of its last snapshot."""
    return await _kill_broker(stage, chance, forgets=False)


async def wipe_broker(stage: Stage, chance: random.Random) -> Gap:
    """It comes back without sessions, queues and retained messages."""
    return await _kill_broker(stage, chance, forgets=True)


async def _kill_broker(stage: Stage, chance: random.Random, *, forgets: bool) -> Gap:
    county = stage.county
    if county.is_embedded:
        with suppress(ProcessLookupError):  # the centre starts it again
            os.kill(county.embedded_broker(), signal.SIGKILL)
        return NO_GAP
    await county.broker.kill()
    await asyncio.sleep(chance.uniform(0, 1))
    await county.start_broker(forgets=forgets)
    return NO_GAP
