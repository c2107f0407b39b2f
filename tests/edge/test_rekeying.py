"""`teawatch edge rotate-key`: a person at the box gives it a new key, whether or not it runs."""

import threading
from pathlib import Path

import pytest

from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.rotation import WISH_FILE, KeyKeeper, Wish
from edge import rekeying
from edge.errors import NotGranted
from edge.rekeying import rekey
from edge.settings import OUTBOX_FILE
from tests.alerts.parts import NOON, make_identity


@pytest.fixture
def state(tmp_path: Path) -> Path:
    make_identity().save(tmp_path)
    return tmp_path


def test_a_box_that_does_not_run_has_its_new_key_at_once(state: Path) -> None:
    before = Identity.load(state)

    key_id = rekey(state)

    now = Identity.load(state)
    assert key_id == now.signing_key.key_id != before.signing_key.key_id
    with Outbox.open(state / OUTBOX_FILE, identity=now) as outbox:
        assert [each.sequence for each in outbox.due(limit=10)] == [1]


def test_a_running_box_does_it_itself(state: Path) -> None:
    before, done = Identity.load(state), threading.Event()
    with Outbox.open(state / OUTBOX_FILE, identity=before) as outbox:
        wish = Wish(KeyKeeper(outbox, state), state)

        def run() -> None:
            while not done.wait(0.01):
                wish.grant(NOON)

        running = threading.Thread(target=run)
        running.start()
        try:
            key_id = rekey(state)
        finally:
            done.set()
            running.join()
        assert outbox.identity.signing_key.key_id == key_id != before.signing_key.key_id


def test_a_box_that_cannot_now_is_said_to_do_it_later(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rekeying, "PATIENCE_S", 0.0)
    with Outbox.open(state / OUTBOX_FILE, identity=Identity.load(state)), pytest.raises(NotGranted, match="its log"):
        rekey(state)
    assert (state / WISH_FILE).exists(), "it stays asked for"
