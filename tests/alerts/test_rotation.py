"""A box changes its key: killed at any moment, it goes on with one key or the other and its chain stays verifiable."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.connection import Arrival
from alerts.control_messages import RotateKey
from alerts.downlinks import write_downlink
from alerts.identity import KEY_FILE, Identity
from alerts.keys import SigningKey, VerifyKey
from alerts.messages import KeyRotation
from alerts.outbox import Outbox
from alerts.publisher import Publisher
from alerts.records import Record, read_record
from alerts.rotation import NEXT_KEY_FILE, KeyKeeper, Wish, wish
from tests.alerts.parts import CENTRE_KEY, NOON, TENANT, Log, make_clock, make_identity

ROOT = Path(__file__).parents[2]

KILLED = """
import os, signal, sys
from pathlib import Path
from alerts import rotation
from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.outbox import Outbox
from alerts.transactions import Transaction
from tests.alerts.parts import NOON

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def half_a_key(self, path):
    path.write_bytes(b"-----BEGIN PRIVATE")
    die()

def append_then_die(self, *args, **more):
    append(self, *args, **more)
    die()

append, folder, moment = Transaction.rotate, Path(sys.argv[1]), sys.argv[2]
match moment:
    case "while the key is written": SigningKey.save = half_a_key
    case "before the record": Transaction.rotate = die
    case "before the commit": Transaction.rotate = append_then_die
    case "after the commit": rotation.KeyKeeper.settle = die
    case "after the renaming": rotation.sync_folder = die
outbox = Outbox.open(folder / "outbox.db", identity=Identity.load(folder))
rotation.KeyKeeper(outbox, folder).rotate(at=NOON)
"""
MOMENTS = {
    "while the key is written": False,
    "before the record": False,
    "before the commit": False,
    "after the commit": True,
    "after the renaming": True,
}


def open_box(folder: Path) -> tuple[Outbox, KeyKeeper]:
    """As a box starts."""
    outbox = Outbox.open(folder / "outbox.db", identity=Identity.load(folder))
    keeper = KeyKeeper(outbox, folder)
    keeper.take_up()
    return outbox, keeper


def append(outbox: Outbox) -> Record:
    with outbox.transaction() as transaction:
        return transaction.append(make_clock(), at=NOON)


def walk(outbox: Outbox, first: VerifyKey) -> list[str]:
    """The types of all records, each verified with the key that was in force then."""
    key, types = first, []
    for pending in sorted(outbox.due(limit=1000), key=lambda each: each.sequence):
        record = read_record(pending.raw, {key.key_id: key}.get)
        types.append(record.event.type)
        if isinstance(record.data, KeyRotation):
            key = VerifyKey.from_text(record.data.key)
    assert key == outbox.identity.signing_key.verify_key, "what comes next is signed with the key of the last rotation"
    return types


@pytest.mark.parametrize(("moment", "rotated"), MOMENTS.items(), ids=lambda value: str(value).replace(" ", "-"))
def test_killed_at_any_moment_the_box_has_the_key_its_journal_names(
    tmp_path: Path, moment: str, *, rotated: bool
) -> None:
    identity = make_identity()
    identity.save(tmp_path)
    with Outbox.open(tmp_path / "outbox.db", identity=identity) as outbox:
        append(outbox)

    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment], cwd=ROOT, check=False)

    assert killed.returncode == -signal.SIGKILL
    first = identity.signing_key.verify_key
    expected = ["teawatch.clock.v1"] + ["teawatch.keyrotation.v1"] * rotated
    outbox, keeper = open_box(tmp_path)
    with outbox:
        append(outbox)
        assert walk(outbox, first) == [*expected, "teawatch.clock.v1"]
        keeper.rotate(at=NOON)
        append(outbox)
        assert len(walk(outbox, first)) == len(expected) + 3
        now_on = outbox.identity.signing_key.key_id
    assert not (tmp_path / NEXT_KEY_FILE).exists()
    assert Identity.load(tmp_path).signing_key.key_id == now_on


def test_the_new_key_is_on_the_disk_before_the_record_that_names_it(tmp_path: Path) -> None:
    identity = make_identity()
    identity.save(tmp_path)
    outbox, keeper = open_box(tmp_path)
    with outbox:
        key = keeper.make_next()
        assert SigningKey.load(tmp_path / NEXT_KEY_FILE).key_id == key.key_id
        record = keeper.rotate(at=NOON)
    assert isinstance(record.data, KeyRotation)
    assert (record.data.retires, record.data.key) == (identity.signing_key.key_id, key.verify_key.to_text())
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_rotation_that_is_rolled_back_leaves_the_old_key_in_force(tmp_path: Path) -> None:
    identity = make_identity()
    identity.save(tmp_path)
    outbox, keeper = open_box(tmp_path)
    with outbox:
        transaction = outbox.transaction()
        transaction.__enter__().rotate(keeper.make_next(), at=NOON)
        transaction.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
        append(outbox)
        assert walk(outbox, identity.signing_key.verify_key) == ["teawatch.clock.v1"]


def test_a_rotation_goes_first_so_that_what_follows_it_can_be_verified(tmp_path: Path) -> None:
    make_identity().save(tmp_path)
    outbox, keeper = open_box(tmp_path)
    with outbox:
        for _ in range(3):
            append(outbox)
        keeper.rotate(at=NOON)
        append(outbox)
        assert [each.sequence for each in outbox.due(limit=10, live_after=4)] == [4, 5, 1, 2, 3]


def test_a_person_at_the_box_is_granted_a_key_once(tmp_path: Path) -> None:
    make_identity().save(tmp_path)
    outbox, keeper = open_box(tmp_path)
    with outbox:
        asked = Wish(keeper, tmp_path)
        assert asked.grant(NOON) is None
        path = wish(tmp_path)
        assert asked.grant(NOON) is not None
        assert not path.exists()
        assert asked.grant(NOON) is None


def command_for(outbox: Outbox, retires: str, *, counter: int, key: SigningKey = CENTRE_KEY) -> Arrival:
    raw = write_downlink(
        RotateKey(retires=retires),
        key=key,
        tenant=TENANT,
        device="box-1",
        epoch=outbox.epoch,
        counter=counter,
        at=datetime.now(UTC),
        lifetime=timedelta(hours=1),
    )
    return Arrival(f"teawatch/v1/{TENANT}/box-1/commands", raw, lambda: None, lambda: True)


def test_the_centre_may_ask_for_a_new_key_once_for_each_key_and_nobody_else_may(tmp_path: Path) -> None:
    identity = make_identity()
    identity.save(tmp_path)
    outbox, keeper = open_box(tmp_path)
    with outbox:
        log = Log()
        publisher = Publisher(outbox, identity, on_event=log, keys=keeper)
        key_id = identity.signing_key.key_id

        publisher._arrived(command_for(outbox, key_id, counter=1, key=SigningKey.generate()))
        assert log.named("downlink_rejected")[0]["error"] == "UnknownKey"
        publisher._arrived(command_for(outbox, key_id, counter=2))
        publisher._arrived(command_for(outbox, key_id, counter=3))
        publisher._arrived(command_for(outbox, key_id, counter=2))

        assert [detail["sequence"] for detail in log.named("key_rotated")] == [1], "the second names a key that is gone"
        assert log.named("downlink_rejected")[-1]["error"] == "StaleCounter"
        assert walk(outbox, identity.signing_key.verify_key) == ["teawatch.keyrotation.v1"]
    assert Identity.load(tmp_path).signing_key.key_id == log.named("key_rotated")[0]["key_id"]
