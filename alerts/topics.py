"""Where messages travel: `teawatch/v1/{tenant}/{device}/{channel}`."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from alerts.errors import MalformedMessage

PREFIX = "teawatch/v1"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Channel(StrEnum):
    """The last part of a topic. Journal and status come from the box, `DOWNLINKS` go to it."""

    JOURNAL = "journal"
    STATUS = "status"
    RECEIPTS = "receipts"
    DESIRED = "desired"
    COMMANDS = "commands"


UPLINKS = (Channel.JOURNAL, Channel.STATUS)
DOWNLINKS = (Channel.RECEIPTS, Channel.DESIRED, Channel.COMMANDS)
"""What a box listens to: receipts, and the command to change its key. Whatever else comes is refused, counted, told."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One channel of one box."""

    tenant: str
    device: str
    channel: Channel

    @property
    def text(self) -> str:
        """As the broker writes it."""
        return f"{PREFIX}/{self.tenant}/{self.device}/{self.channel}"


@lru_cache(maxsize=10_000)
def parse(text: str) -> Topic:
    """Read `Topic.text`; raises MalformedMessage."""
    match text.split("/"):
        case ["teawatch", "v1", tenant, device, channel] if (
            _ID.fullmatch(tenant) and _ID.fullmatch(device) and channel in set(Channel)
        ):
            return Topic(tenant, device, Channel(channel))
        case _:
            raise MalformedMessage(f"no topic of ours: {text[:120]!r}")


def filter_of(tenant: str, channel: Channel) -> str:
    """The subscription for one channel of all boxes of a tenant."""
    return f"{PREFIX}/{tenant}/+/{channel}"
