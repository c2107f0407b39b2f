"""A new key for this box, whether or not its process runs."""

import time
from datetime import UTC, datetime
from pathlib import Path

from alerts.errors import OutboxInUse
from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.rotation import KeyKeeper, wish
from edge.errors import NotGranted
from edge.settings import OUTBOX_FILE

PATIENCE_S = 20.0
LOOK_EVERY_S = 0.1


def rekey(state: Path) -> str:
    """Replace the key and return the new one's id. Raises AlertsError, NotGranted."""
    identity = Identity.load(state)
    try:
        with Outbox.open(state / OUTBOX_FILE, identity=identity) as outbox:
            keeper = KeyKeeper(outbox, state)
            keeper.take_up()
            keeper.rotate(at=datetime.now(UTC))
    except OutboxInUse:
        _have_it_done(state)
    return Identity.load(state).signing_key.key_id


def _have_it_done(state: Path) -> None:
    """The running process owns the outbox, so it makes the record."""
    waiting = wish(state)
    deadline_s = time.monotonic() + PATIENCE_S
    while waiting.exists():
        if time.monotonic() > deadline_s:
            raise NotGranted("the running box has not made a new key yet; it will as soon as it can, its log says more")
        time.sleep(LOOK_EVERY_S)
