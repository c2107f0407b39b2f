"""Whether somebody has dealt with a box that was copied, or set back to an old state."""

from collections.abc import Iterable
from datetime import datetime

from center.boxes.devices import Ending
from center.boxes.keys import KeyValidity
from center.intake.journal import EpochRow

ENDS_A_COPY = (Ending.REPLACED, Ending.REVOKED)
"""A key that was rotated is the copy's as well, or its journal goes on in two chains all the same."""


def copy_ended_at(journal: EpochRow, keys: Iterable[KeyValidity]) -> datetime | None:
    """Since when the forks of a box's journal are history; None while they are not, or where there are none.

    They are once the box was enrolled anew or shut out and nothing of that journal has come since: then neither of the
    two can write in it. What comes later all the same says that one of them still does.
    """
    if not journal.is_forked:
        return None
    ends = (key.ended_at for key in keys if key.ending in ENDS_A_COPY)
    return min((end for end in ends if end is not None and end >= journal.last_seen_at), default=None)
