"""A box as the bench sees it: the process that lives and dies, its links, and what it said it had committed."""

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from alerts.identity import Identity
from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.births import Nursery
from edge.bench.delivery.founding import camera_of
from edge.bench.delivery.leftovers import Leftover, read_leftovers
from edge.bench.delivery.link import HERE, Link
from edge.bench.delivery.meddler import Meddler
from edge.bench.delivery.orders import Birth, Doom
from edge.settings import OUTBOX_FILE

BIRTH_S = 300.0
"""On a machine with much other work; a box that takes longer has hung."""

SEEDS = 2**31
RISES_AFTER_S = 0.5
"""A box that fell over by itself is started again, as its service manager would."""

TROUBLES = ("trouble", "failed", "file_refused", "outbox_trouble", "downlink_rejected", "forked")


@dataclass
class Truth:
    """What a box has committed, kept outside of it: incidents, the last sequence of each epoch, announced files."""

    incidents: set[str] = field(default_factory=set)
    heads: dict[str, int] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    removed: set[tuple[str, int]] = field(default_factory=set)
    """Epoch and sequence of what was removed by hand."""
    rotations: set[tuple[str, int]] = field(default_factory=set)
    """Epoch and sequence of the records that name a new key."""
    forked: set[str] = field(default_factory=set)
    """Epochs that were copied or set back: there a sequence may stand for several records."""

    def note(self, epoch: str, sequence: int) -> None:
        """A record is there."""
        self.heads[epoch] = max(self.heads.get(epoch, 0), sequence)


class BoxUnderTest:
    """Between `opened` and its end. Its links are whole unless somebody breaks them."""

    def __init__(
        self, name: str, state: Path, *, links: tuple[Link, Link], meddler: Meddler, seed: int, nursery: Nursery
    ) -> None:
        self.name = name
        self.key = state.name
        self.state = state
        self.mqtt, self.web = links
        self.meddler = meddler
        self.truth = Truth()
        self.took_ms: list[float] = []
        self.troubles: list[str] = []
        self.epoch = ""
        self.lowest: int | None = None
        self.head = 0
        """The newest record of this life."""
        self._told_head = 0
        self.files_pending = 0
        self.pid = 0
        self._nursery = nursery
        self._seed = random.Random(seed)  # noqa: S311 - no secret
        self.rotations = 0
        self.falls = 0
        """How often it ended by itself."""
        self.moved_s = 0.0
        """When what waits on it last changed, by the monotonic clock."""
        self.has_copies = self.is_asked_for_key = False
        self._changed = asyncio.Condition()
        self._has_started = False
        self._has_died = True
        self._shall_live = self._rests = False
        self._rising: asyncio.Task[None] | None = None

    async def delivers(self, until: int | None, patience_s: float) -> bool:
        """Wait until everything up to this sequence is confirmed (None: all there is, and files); whether it was."""
        return await self.wait(lambda: self._has_delivered(until), patience_s)

    @property
    def is_forked(self) -> bool:
        """Whether a number stands for several records in the journal it writes."""
        return self.epoch in self.truth.forked

    @property
    def waits(self) -> str:
        """What of it the centre has not confirmed, for people."""
        if self._has_died:
            return f"{self.key} is dead"
        return f"{self.key} has records from {self.lowest} on and {self.files_pending} files waiting"

    def _has_delivered(self, until: int | None) -> bool:
        if self._has_died or self._told_head < (self.head if until is None else until):
            return False
        if until is None:
            return self.lowest is None and not self.files_pending
        return self.lowest is None or self.lowest > until

    async def live(self, *, ahead_s: float = 0.0) -> None:
        """A new life; returns when it has opened its outbox."""
        self._has_started = self._has_died = False
        self._shall_live = True
        birth = Birth(
            state=str(self.state), cameras=(camera_of(self.name),), seed=self._seed.randrange(SEEDS), ahead_s=ahead_s
        )
        await self.tell("live", **asdict(birth))
        await self.wait(lambda: self._has_started or self._has_died, BIRTH_S)
        if not self._has_started:
            raise NothingToMeasure(f"box {self.name} cannot live: {self.troubles[-1:]}")
        if self._rests:
            await self.tell("rest")

    async def rest(self) -> None:
        """Nothing new happens before its cameras, in this life and those to come."""
        self._rests = True
        await self.tell("rest")

    async def kill(self) -> None:
        """Kill it (-9); returns when it is dead, and what it had committed without saying so is known."""
        await self._give_up()
        await self.tell("kill")
        if not await self.die(BIRTH_S):
            raise NothingToMeasure(f"box {self.name} does not die")

    async def die(self, patience_s: float) -> bool:
        """Wait for its end; whether it came."""
        came = await self.wait(lambda: self._has_died, patience_s)
        if came:
            self._note_leftovers()
        return came

    async def doom(self, doom: Doom) -> None:
        """Let it die at that boundary, and hurry towards it."""
        await self._give_up()
        await self.tell("doom", at=doom.at, n=doom.n)
        await self.tell("hurry")

    async def _give_up(self) -> None:
        """From now on its end is meant."""
        self._shall_live = False
        if self._rising is not None:
            await self._rising
            self._shall_live = False

    async def _rise(self) -> None:
        await asyncio.sleep(RISES_AFTER_S)
        self._note_leftovers()
        await self.live()
        self._rising = None

    async def tell(self, do: str, **fields: object) -> None:
        """An order to the living box; one that is dead by then misses it."""
        await self._nursery.tell({"box": self.key, "do": do, **fields})

    async def wait(self, happens: Callable[[], bool], patience_s: float) -> bool:
        """Until something that the box says makes it so; whether it did in time."""
        try:
            async with asyncio.timeout(patience_s), self._changed:
                await self._changed.wait_for(happens)
        except TimeoutError:
            return False
        return True

    def records(self) -> list[Leftover]:
        """What waits in its outbox; of a dead box."""
        with self.outbox() as connection:
            rows = connection.execute("SELECT raw FROM records ORDER BY sequence").fetchall()
        connection.close()
        return read_leftovers(raw for (raw,) in rows)

    def outbox(self) -> sqlite3.Connection:
        """Its file, of a dead box; to be closed."""
        return sqlite3.connect(self.state / OUTBOX_FILE)

    def _note_leftovers(self) -> None:
        for record in self.records():
            self.truth.note(record.epoch, record.sequence)
            self.truth.files |= record.files
            if record.is_rotation:
                self.truth.rotations.add((record.epoch, record.sequence))
            if record.incident:
                self.truth.incidents.add(record.incident)

    async def hear(self, said: Mapping[str, Any]) -> None:
        """What the nursery has to tell of it."""
        async with self._changed:
            self._hear(said)
            self._changed.notify_all()

    def _hear(self, said: Mapping[str, Any]) -> None:
        if "lowest" in said:
            self.moved_s = time.monotonic()
            self.lowest, self.files_pending, self._told_head = said["lowest"], said["files"], said["head"]
            self.head = max(self.head, self._told_head)
        if said["event"] in TROUBLES:
            self.troubles.append(f"{said['event']}: {said['reason']}")
        match said["event"]:
            case "born":
                self.pid = said["pid"]
            case "started":
                self.epoch, self._has_started = said["epoch"], True
                self.head = said["head"]
                self.truth.note(self.epoch, self.head)
            case "died":
                self._note_death(said["code"])
            case "key_rotated":
                self.rotations += 1
                self.truth.rotations.add((self.epoch, said["sequence"]))
            case "alert_queued":
                self.truth.incidents.add(said["incident"])
                self._note_record(said["sequence"], said["picture_sha256"])
            case "evidence_queued":
                self._note_record(said["sequence"], said["sha256"])
            case "told":
                self.took_ms.append(said["ms"])

    def _note_death(self, code: int) -> None:
        self._has_died = True
        if self._shall_live and self._has_started:
            self.falls += 1
            self.troubles.append(f"fell over: exit {code}")
            self._rising = asyncio.create_task(self._rise())

    def _note_record(self, sequence: int, sha256: str) -> None:
        self.truth.note(self.epoch, sequence)
        self.head = max(self.head, sequence)
        if sha256:
            self.truth.files.add(sha256)


@asynccontextmanager
async def opened(
    name: str,
    state: Path,
    *,
    ports: tuple[int, int],
    seed: int,
    nursery: Nursery,
) -> AsyncIterator[BoxUnderTest]:
    """An enrolled box, its nursery running, between links of its own to the broker and the centre (`ports`).

    Its meddler sees nothing where the broker speaks TLS.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    meddler = Meddler(chance)
    identity = Identity.load(state)
    async with AsyncExitStack() as cleanup:
        mqtt = await cleanup.enter_async_context(Link(ports[0], chance, None if identity.mqtt_tls else meddler))
        web = await cleanup.enter_async_context(Link(ports[1], chance))
        scheme = "https" if identity.web_tls else "http"
        replace(identity, center_url=f"{scheme}://{HERE}:{web.port}", mqtt_host=HERE, mqtt_port=mqtt.port).save(state)
        box = BoxUnderTest(name, state, links=(mqtt, web), meddler=meddler, seed=seed, nursery=nursery)
        nursery.ears[box.key] = box.hear
        yield box
