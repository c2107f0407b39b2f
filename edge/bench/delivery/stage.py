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
MOST_ASIDE = 200
GAP_PATIENCE_S = 600.0
"""So long the centre may take to show a gap, whatever else befalls it; how long it did take is a figure of its own."""


@dataclass(frozen=True, slots=True)
class Gap:
    """How many gaps a fault made, and how many of them the centre showed by itself while they were there.

    `what` says where it is, `noticed_s` how long it took.
    """

    made: int = 0
    noticed: int = 0
    what: str = ""
    noticed_s: float | None = None

    @property
    def is_fair(self) -> bool:
        """Whether the centre has seen all of it."""
        return self.noticed == self.made


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

    async def sees_gap(self, box: BoxUnderTest, sequences: Collection[int]) -> Gap:
        """Whether the centre's interface comes to show these sequences of the box as missing, or as told to be gone.

        A record that names a new key leaves no gap: nothing that follows can be verified, so that none of it counts as
        received. It is put aside, as signed with a key that nobody vouches for, and the quarantine shows it.
        """
        what = f"records {sorted(sequences)} of {box.name} in journal {box.epoch}"
        began_s = time.monotonic()
        while (waited_s := time.monotonic() - began_s) < GAP_PATIENCE_S:
            try:
                shows = await self._shows(box, sequences)
            except httpx.HTTPError:
                shows = False
            if shows:
                return Gap(1, 1, what, round(waited_s, 1))
            await asyncio.sleep(LOOK_EVERY_S)
        return Gap(1, 0, what)

    async def _shows(self, box: BoxUnderTest, sequences: Collection[int]) -> bool:
        if (await self._missing(box)).issuperset(sequences):
            return True
        if not any((box.epoch, sequence) in box.truth.rotations for sequence in sequences):
            return False
        aside = await self.county.ask("/api/v1/quarantine", limit=MOST_ASIDE)
        return any(
            each["device"] == box.name and each["reason"] == "unknown_key" and each["topic"].endswith("/journal")
            for each in aside["items"]
        )

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
