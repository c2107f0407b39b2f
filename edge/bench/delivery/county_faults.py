"""What happens to the centre, its broker, its database and the link between them; every box suffers under it."""

import asyncio
import os
import random
import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from edge.bench.delivery.box_faults import DAY_S, full_disk
from edge.bench.delivery.brokers import Mosquitto
from edge.bench.delivery.county import County
from edge.bench.delivery.link import Link
from edge.bench.delivery.offices import Office
from edge.bench.delivery.postgres import Postgres
from edge.bench.delivery.stage import NO_GAP, Gap, Stage

LATEST_WRITE = 150
LATEST_PIECE = 60
DOOM_PATIENCE_S = 5.0
UNHEARD_S = 2.0
"""So long boxes speak to a centre that cannot hear them before the clock of its recovery starts."""


async def kill_centre(stage: Stage, chance: random.Random) -> Gap:
    """At any moment."""
    return await _kill(stage.county, stage.county.centre, chance)


async def kill_centre_at_write(stage: Stage, chance: random.Random) -> Gap:
    """Before or after one of its writes, from inside."""
    return await _kill_at_write(stage.county, stage.county.centre, chance)


async def kill_worker(stage: Stage, chance: random.Random) -> Gap:
    """One of the processes that take messages in, at any moment."""
    return await _kill(stage.county, chance.choice(stage.county.workers), chance)


async def kill_worker_at_write(stage: Stage, chance: random.Random) -> Gap:
    """The same, before or after one of its writes."""
    return await _kill_at_write(stage.county, chance.choice(stage.county.workers), chance)


async def _kill(county: County, office: Office, chance: random.Random) -> Gap:
    await office.kill()
    await asyncio.sleep(chance.uniform(0, 1))
    await county.start(office)
    return NO_GAP


async def _kill_at_write(county: County, office: Office, chance: random.Random) -> Gap:
    with suppress(ProcessLookupError):
        office.doom(chance.randint(1, LATEST_WRITE))
    with suppress(TimeoutError):
        async with asyncio.timeout(DOOM_PATIENCE_S):
            await office.wait()
    await office.kill()
    await county.start(office)
    return NO_GAP


async def centre_clock_jump(stage: Stage, chance: random.Random) -> Gap:
    """Every process of the centre: hours, days or years ahead or back, and right again."""
    ahead_s = chance.choice((3600, -3600, 3 * DAY_S, -3 * DAY_S, 10 * 365 * DAY_S, -10 * 365 * DAY_S))
    for error_s in (ahead_s, 0):
        for office in stage.county.offices:
            with suppress(ProcessLookupError):
                office.set_clock(error_s)
        if error_s:
            await asyncio.sleep(chance.uniform(0.5, 2))
    return NO_GAP


async def centre_disk_full(stage: Stage, chance: random.Random) -> Gap:
    """Nothing can be written to the centre's files."""
    with _full_disks(office.pid for office in stage.county.offices if office.runs):
        await asyncio.sleep(chance.uniform(0.5, 3))
    return NO_GAP


async def database_disk_full(stage: Stage, chance: random.Random) -> Gap:
    """Nothing can be written to PostgreSQL's files; if it gives up, somebody starts it when there is room."""
    database = _database(stage)
    await database.limit_files(1)
    await asyncio.sleep(chance.uniform(0.5, 3))
    await database.limit_files(None)
    await database.start()
    return NO_GAP


async def kill_database(stage: Stage, chance: random.Random) -> Gap:
    """The server is killed, or told to restart, or one of its processes is killed, and it recovers by itself."""
    database = _database(stage)
    match chance.choice(("server", "child", "restart")):
        case "server":
            await database.server.kill()
        case "child":
            os.kill(chance.choice(database.children()), signal.SIGKILL)
        case _:
            os.kill(database.server.pid, signal.SIGINT)
            await database.server.wait()
    await asyncio.sleep(chance.uniform(0, 1))
    await database.start()
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
    _strike_broker(stage.county)
    return await _revive_broker(stage.county, chance)


async def wipe_broker(stage: Stage, chance: random.Random) -> Gap:
    """It comes back without sessions, queues and retained messages."""
    _strike_broker(stage.county)
    return await _revive_broker(stage.county, chance, forgets=True)


async def kill_broker_at_piece(stage: Stage, chance: random.Random) -> Gap:
    """While something is on its way to it or from it: between a message and its acknowledgement, say."""
    left, struck = chance.randint(1, LATEST_PIECE), asyncio.Event()

    def pass_by() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            _strike_broker(stage.county)
            struck.set()

    with _watched((stage.centre_link, *(box.mqtt for box in stage.boxes)), pass_by), suppress(TimeoutError):
        async with asyncio.timeout(DOOM_PATIENCE_S):
            await struck.wait()
    return await _revive_broker(stage.county, chance)


async def kill_broker_at_write(stage: Stage, chance: random.Random) -> Gap:
    """In the middle of its snapshot: the kernel kills it (SIGXFSZ) where the file would grow past so many bytes."""
    mosquitto = _mosquitto(stage)
    pid = mosquitto.server.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (chance.randint(1, max(1, mosquitto.snapshot_bytes())), hard))
    with suppress(TimeoutError):
        async with asyncio.timeout(DOOM_PATIENCE_S):
            await mosquitto.server.wait()
    return await _revive_broker(stage.county, chance)


def _strike_broker(county: County) -> None:
    """At once."""
    with suppress(ProcessLookupError):
        os.kill(county.mosquitto.server.pid if county.mosquitto else county.embedded_broker(), signal.SIGKILL)


async def _revive_broker(county: County, chance: random.Random, *, forgets: bool = False) -> Gap:
    """The centre starts its own again by itself."""
    if county.mosquitto:
        await county.mosquitto.server.kill()
        await asyncio.sleep(chance.uniform(0, 1))
        await county.mosquitto.start(forgets=forgets)
    return NO_GAP


@contextmanager
def _watched(links: Iterable[Link], on_piece: Callable[[], None]) -> Iterator[None]:
    links = list(links)
    for link in links:
        link.on_piece = on_piece
    try:
        yield
    finally:
        for link in links:
            link.on_piece = None


@contextmanager
def _full_disks(pids: Iterable[int]) -> Iterator[None]:
    with ExitStack() as disks:
        for pid in list(pids):
            with suppress(ProcessLookupError):
                disks.enter_context(full_disk(pid))
        yield


def _database(stage: Stage) -> Postgres:
    if stage.county.database is None:
        raise TypeError("this county has no PostgreSQL of its own")
    return stage.county.database


def _mosquitto(stage: Stage) -> Mosquitto:
    if stage.county.mosquitto is None:
        raise TypeError("this county has no Mosquitto")
    return stage.county.mosquitto
