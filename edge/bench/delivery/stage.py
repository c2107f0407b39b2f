"""What faults act on: the county, its boxes, and the link between centre and broker."""

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx

from edge.bench.delivery.births import Nursery
from edge.bench.delivery.box import BoxUnderTest
from edge.bench.delivery.county import County
from edge.bench.delivery.link import Link

LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Gap:
    """How many gaps a fault made, and how many of them the centre showed by itself while they were there."""

    made: int = 0
    noticed: int = 0


NO_GAP = Gap()


@dataclass
class Stage:
    """`copies` are boxes that were cloned and still have something to deliver; `cleanup` ends what faults started."""

    county: County
    boxes: Sequence[BoxUnderTest]
    centre_link: Link
    cleanup: AsyncExitStack
    nursery: Nursery
    copies: list[BoxUnderTest] = field(default_factory=list)

    async def sees_gap(self, box: BoxUnderTest, sequences: Collection[int], patience_s: float) -> Gap:
        """Whether the centre's interface comes to show these sequences of the box as missing, or as told to be gone."""
        deadline_s = time.monotonic() + patience_s
        while time.monotonic() < deadline_s:
            try:
                missing = await self._missing(box)
            except httpx.HTTPError:
                missing = set()
            if missing.issuperset(sequences):
                return Gap(1, 1)
            await asyncio.sleep(LOOK_EVERY_S)
        return Gap(1, 0)

    async def _missing(self, box: BoxUnderTest) -> set[int]:
        devices = await self.county.ask("/api/v1/devices")
        return {
            sequence
            for device in devices
            if device["id"] == box.name
            for journal in device["journals"]
            if journal["epoch"] == box.epoch
            for gap in (*journal["gaps"], *journal["gone"])
            for sequence in range(gap["first"], gap["last"] + 1)
        }
