"""A man in the middle of a box's MQTT connection: withholds records, sends them twice, sends them in another order.

He cannot change what is signed; he can do whatever a broker or a network could do by mistake.
"""

import asyncio
import json
import random
from collections import deque
from dataclasses import replace

from alerts import dsse
from alerts.errors import MessageError
from alerts.topics import Channel
from edge.bench.delivery.packets import (
    Publication,
    read_puback,
    read_publication,
    write_puback,
    write_publication,
)

FIRST_OWN_ID = 60_001
"""Packet ids that no box comes to in the life of one connection."""

LAST_OWN_ID = 65_000
KEPT = 200
HELD = 8
"""So many records are held back, and then go out in another order."""


class Meddler:
    """Between one box and the broker, whatever connections come and go. Not thread-safe: one event loop."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._seen: deque[Publication] = deque(maxlen=KEPT)
        self._held: list[Publication] = []
        self._own_id = FIRST_OWN_ID
        self._highest = 0
        self._to_withhold = 0
        self.withheld: set[int] = set()
        self.has_chosen = asyncio.Event()
        self.doubles = False
        self.shuffles = False

    def withhold(self, count: int) -> None:
        """Let the next `count` new records disappear, acknowledged, as often as they are sent."""
        self._to_withhold = count
        self.has_chosen.clear()

    def relent(self) -> None:
        """Let everything pass from now on."""
        self.withheld = set()
        self._to_withhold = 0

    def upwards(self, packet: bytes) -> tuple[list[bytes], list[bytes]]:
        """From the box: what goes on to the broker, and what is answered in its place."""
        publication = read_publication(packet)
        if publication is None or not publication.topic.endswith(f"/{Channel.JOURNAL}"):
            return [packet], []
        if self._is_withheld(sequence_of(publication.payload)):
            return [], [write_puback(publication.packet_id)]
        self._seen.append(publication)
        if not self.shuffles:
            return [*self._release(), packet, *self._again()], []
        self._held.append(publication)
        return (self._release() if len(self._held) >= HELD else []), [write_puback(publication.packet_id)]

    def downwards(self, packet: bytes) -> list[bytes]:
        """From the broker: answers to his own packets are not the box's business."""
        answered = read_puback(packet)
        return [] if answered is not None and answered >= FIRST_OWN_ID else [packet]

    def _is_withheld(self, sequence: int) -> bool:
        if self._to_withhold and sequence > self._highest:
            self.withheld.add(sequence)
            self._to_withhold -= 1
            if not self._to_withhold:
                self.has_chosen.set()
        self._highest = max(self._highest, sequence)
        return sequence in self.withheld

    def _release(self) -> list[bytes]:
        """What was held, in any order, some of it twice."""
        held, self._held = self._held, []
        mixed = held + self._chance.sample(held, len(held) // 3)
        self._chance.shuffle(mixed)
        return [self._own(each) for each in mixed]

    def _again(self) -> list[bytes]:
        """Some of what passed before, old and new."""
        if not self.doubles:
            return []
        return [self._own(each) for each in self._chance.sample(list(self._seen), min(3, len(self._seen)))]

    def _own(self, publication: Publication) -> bytes:
        self._own_id = self._own_id + 1 if self._own_id < LAST_OWN_ID else FIRST_OWN_ID
        return write_publication(replace(publication, packet_id=self._own_id))


def sequence_of(raw: bytes) -> int:
    """A record's place in its journal; 0 for what is none."""
    try:
        event = json.loads(dsse.read_envelope(raw).payload)
        return int(event["sequence"])
    except (MessageError, ValueError, KeyError, TypeError):
        return 0
