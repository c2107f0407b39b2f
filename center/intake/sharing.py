"""Several workers take messages in side by side, each for its share of the boxes.

A box belongs to one worker, by the hash of its name. Every worker hears all of them over a subscription of its own and
passes over those of the others; so no broker has to share anything out, and a worker that is away finds its messages
waiting. Should two take in the same record all the same (while their number is changed, say), the row of its box holds
one of them until the other has committed, and the second finds a duplicate.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from alerts.subscriber import Incoming, OnMessages
from alerts.topics import Topic
from center.errors import SettingsInvalid


@dataclass(frozen=True, slots=True)
class Share:
    """The `number`-th of `of` workers, from 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Read `2/3`. Raises SettingsInvalid."""
        found = re.fullmatch(r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2})", text)
        if found is None or int(found[1]) > int(found[2]):
            raise SettingsInvalid(f"--worker {text!r}: written K/N, for example 1/2 and 2/2 for two workers")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}of{self.of}"

    def includes(self, topic: Topic) -> bool:
        """Whether messages under this topic are this worker's."""
        return crc32(topic.device.encode()) % self.of == self.number - 1

    def of_messages(self, take: OnMessages) -> OnMessages:
        """Take in this share of the messages, and pass over the others."""

        def take_own(messages: Sequence[Incoming]) -> Sequence[Incoming]:
            own = [message for message in messages if self.includes(message.topic)]
            return take(own) if own else ()

        return take_own if self.of > 1 else take
