"""The storm: faults fall on boxes and centre, each on its own track; then it clears, and everything must arrive.

Each box has a track of faults, and so have the centre and its broker together: a box may be killed while its neighbour
is cut off and the centre is down. A box is given a few seconds to recover between two faults of its own.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from edge.bench.delivery.box import BoxUnderTest
from edge.bench.delivery.kinds import Fault
from edge.bench.delivery.stage import Gap, Stage

HEAL_PATIENCE_S = 120.0
LOOK_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a fault.

    `healed_s`: from its end until all that its victims had committed by then was receipted, other faults meanwhile
    included; None if that did not come about in two minutes.
    """

    kind: str
    gap: Gap
    healed_s: float | None


class Storm:
    """One round. Once the last fault is over, everything may take as long as it takes to arrive, as long as it goes on.

    Where nothing has moved for `clear_s`, on any box, what waits will not come: `stuck` says what that was. So a slow
    machine takes longer and loses no more than a fast one.
    """

    def __init__(self, stage: Stage, faults: Sequence[Fault], *, clear_s: float) -> None:
        self._stage = stage
        self._clear_s = clear_s
        self._for_boxes = [fault for fault in faults if fault.kind.on_box]
        self._for_county = [fault for fault in faults if fault.kind.on_county]
        self.stuck: list[str] = []
        self._healings: list[asyncio.Task[Outcome]] = []

    async def rage(self) -> list[Outcome]:
        """Every fault, then fair weather; what became of each."""
        async with asyncio.TaskGroup() as tracks:
            for box in self._stage.boxes:
                tracks.create_task(self._track(self._faults_of(box), (box,), self._on_box(box)))
            tracks.create_task(self._track(iter(self._for_county), self._stage.boxes, self._on_county))
        await self._clear()
        return [await healing for healing in self._healings]

    def _on_box(self, box: BoxUnderTest) -> Callable[[Fault], Awaitable[Gap]]:
        async def strike(fault: Fault) -> Gap:
            if fault.kind.on_box is None:
                raise TypeError(fault.kind.name)
            return await fault.kind.on_box(self._stage, box, _chance(fault))

        return strike

    async def _on_county(self, fault: Fault) -> Gap:
        if fault.kind.on_county is None:
            raise TypeError(fault.kind.name)
        return await fault.kind.on_county(self._stage, _chance(fault))

    def _faults_of(self, box: BoxUnderTest) -> Iterator[Fault]:
        """What is left for any box, but for what is better left to boxes whose journal was not forked, if there are."""
        while fault := next((fault for fault in self._for_boxes if self._suits(fault, box)), None):
            self._for_boxes.remove(fault)
            yield fault

    def _suits(self, fault: Fault, box: BoxUnderTest) -> bool:
        return not (fault.kind.needs_one_journal and box.is_forked) or all(each.is_forked for each in self._stage.boxes)

    async def _track(
        self, faults: Iterator[Fault], victims: Sequence[BoxUnderTest], strike: Callable[[Fault], Awaitable[Gap]]
    ) -> None:
        for fault in faults:
            gap = await strike(fault)
            healing = asyncio.create_task(self._heal(fault, gap, victims))
            self._healings.append(healing)
            await asyncio.wait({healing}, timeout=fault.kind.patience_s)

    async def _heal(self, fault: Fault, gap: Gap, victims: Sequence[BoxUnderTest]) -> Outcome:
        over_s = time.monotonic()
        arrived = await asyncio.gather(*(box.delivers(box.head, HEAL_PATIENCE_S) for box in victims))
        healed_s = round(time.monotonic() - over_s, 2) if all(arrived) else None
        return Outcome(fault.kind.name, gap, healed_s)

    async def _clear(self) -> None:
        """Nothing new happens; every box, and after it every copy of it, delivers what it has."""
        await asyncio.gather(*(self._finish(box) for box in self._stage.boxes))

    async def _finish(self, box: BoxUnderTest) -> None:
        await self._drain(box)
        for copy in (each for each in self._stage.copies if each.name == box.name):
            await box.kill()
            await copy.live()
            await self._drain(copy)
            await copy.kill()

    async def _drain(self, box: BoxUnderTest) -> None:
        await box.rest()
        began_s = time.monotonic()
        while not await box.delivers(None, min(LOOK_EVERY_S, self._clear_s)):
            moved_s = max(began_s, *(each.moved_s for each in (*self._stage.boxes, *self._stage.copies)))
            if time.monotonic() - moved_s > self._clear_s:
                self.stuck.append(box.waits)
                return


def _chance(fault: Fault) -> random.Random:
    return random.Random(fault.seed)  # noqa: S311 - no secret
