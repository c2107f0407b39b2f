"""What happens to who a box is: new keys, a certificate that is gone, a copy, a backup that is put back."""

import asyncio
import random
import shutil
from contextlib import suppress

from alerts.identity import CERTIFICATE_FILE
from alerts.rotation import WISH_FILE
from edge.bench.clips import NothingToMeasure
from edge.bench.delivery import box as box_under_test
from edge.bench.delivery.box import BoxUnderTest
from edge.bench.delivery.box_faults import DOOM_PATIENCE_S, PATIENCE_S
from edge.bench.delivery.orders import Boundary, Doom
from edge.bench.delivery.stage import NO_GAP, Gap, Stage

DRAIN_PATIENCE_S = 12.0
IN_A_ROTATION: dict[Boundary, int] = {"statement": 40, "committed": 3, "file": 8}
"""The same where it is to die while it gives itself a new key."""


async def rotate_key(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Somebody at the box wishes for a new key; as often as not it is killed in the middle of that.

    A box that was copied is left its key: what the copy signs after that would be put aside, as it should be.
    """
    if box.has_copies:
        return NO_GAP
    before = box.rotations
    if chance.random() < 0.5:  # noqa: PLR2004 - as often as not
        boundary = chance.choice(list(IN_A_ROTATION))
        await box.doom(Doom(boundary, chance.randint(1, IN_A_ROTATION[boundary])))
        await box.tell("rotate")
        if not await box.die(DOOM_PATIENCE_S):
            await box.kill()
        await box.live()
    else:
        await box.tell("rotate")
    await box.wait(lambda: box.rotations > before, PATIENCE_S)
    return NO_GAP


async def rotate_key_from_afar(stage: Stage, box: BoxUnderTest, _chance: random.Random) -> Gap:
    """The centre asks the box for a new key."""
    if box.has_copies:
        return NO_GAP
    before, box.is_asked_for_key = box.rotations, True
    with suppress(NothingToMeasure):  # its database may be down just now
        await stage.county.command("rotate", box.name)
        box.is_asked_for_key = not await box.wait(lambda: box.rotations > before, PATIENCE_S)
    return NO_GAP


async def lose_certificate(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Its TLS certificate is gone, or damaged: it has to fetch another."""
    await box.kill()
    path = box.state / CERTIFICATE_FILE
    path.write_bytes(path.read_bytes()[: chance.choice((0, 100, 1000))])
    await box.live()
    return NO_GAP


async def cloned(stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """Two boxes with one identity and one journal, both at work; then each alone delivers what it has."""
    if _may_rotate(box):
        return NO_GAP
    await box.kill()
    box.truth.forked.add(box.epoch)
    box.has_copies = True
    state = box.state.with_name(f"{box.name}-copy-{len(stage.copies)}")
    shutil.copytree(box.state, state)
    ports = (box.mqtt.target, box.web.target)
    opening = box_under_test.opened(box.name, state, ports=ports, seed=chance.getrandbits(31), nursery=stage.nursery)
    copy = await stage.cleanup.enter_async_context(opening)
    stage.copies.append(copy)
    await asyncio.gather(box.live(), copy.live())
    await asyncio.sleep(chance.uniform(1, 2))
    await copy.kill()
    return NO_GAP


async def set_back(_stage: Stage, box: BoxUnderTest, chance: random.Random) -> Gap:
    """A backup of the state is put back, once everything newer was delivered: the journal goes on from an old place."""
    if _may_rotate(box):
        return NO_GAP
    await box.kill()
    backup = box.state.with_name(f"{box.name}-backup")
    shutil.copytree(box.state, backup)
    await box.live()
    await asyncio.sleep(chance.uniform(0.5, 1))
    await box.tell("rest")
    has_delivered = await box.delivers(None, DRAIN_PATIENCE_S)
    await box.kill()
    if has_delivered and not box.records():
        box.truth.forked.add(box.epoch)
        box.has_copies = True
        shutil.rmtree(box.state)
        backup.rename(box.state)
    else:
        shutil.rmtree(backup)
    await box.live()
    return NO_GAP


def _may_rotate(box: BoxUnderTest) -> bool:
    """Whether a new key is under way: a copy would be left behind with the old one."""
    return box.is_asked_for_key or (box.state / WISH_FILE).exists()
