"""Power cuts and full disks, for real: kill -9 at random moments, a file system without space."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.blobs import BlobStore
from alerts.errors import BlobStoreFull, OutboxFull
from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.records import FIRST_PREVHASH, read_record
from tests.alerts.parts import NOON, make_clock, make_identity

ROOT = Path(__file__).parents[2]

APPENDING = """
import sys
from pathlib import Path
from alerts.identity import Identity
from alerts.messages import Clock, ClockQuality
from alerts.outbox import Outbox
from datetime import UTC, datetime

folder = Path(sys.argv[1])
outbox = Outbox.open(folder / "outbox.db", identity=Identity.load(folder))
with outbox.transaction() as transaction:
    transaction.connection.execute("CREATE TABLE IF NOT EXISTS mine (sequence INTEGER)")
while True:
    now = datetime.now(UTC)
    with outbox.transaction() as transaction:
        data = Clock(boot="b", monotonic_ms=1, utc=now, quality=ClockQuality.UNKNOWN)
        record = transaction.append(data, at=now)
        transaction.connection.execute("INSERT INTO mine VALUES (?)", (record.sequence,))
    print(record.sequence, flush=True)
"""


def append_and_be_killed(folder: Path, after: int) -> int:
    """Let a process append until it has said `after` more sequences, kill -9 it, return the last it said."""
    process = subprocess.Popen(
        [sys.executable, "-c", APPENDING, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    said += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return int([line for line in said if line.endswith("\n")][-1])


def test_killed_at_ten_moments_the_chain_is_whole_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    identity = make_identity()
    identity.save(tmp_path)
    chance = random.Random(20260405)
    promised = 0
    for _ in range(10):
        promised = append_and_be_killed(tmp_path, after=chance.randint(1, 60))
        with Outbox.open(tmp_path / "outbox.db", identity=identity) as outbox:
            assert outbox.head()[0] >= promised
    find = {identity.signing_key.key_id: identity.signing_key.verify_key}.get
    with Outbox.open(tmp_path / "outbox.db", identity=identity) as outbox:
        records = [read_record(pending.raw, find) for pending in outbox.due(limit=100_000)]
        with outbox.reading() as connection:
            (mine,) = connection.execute("SELECT count(*) FROM mine").fetchone()
    assert [record.sequence for record in records] == list(range(1, len(records) + 1))
    assert len(records) >= promised >= 10
    assert [r.prevhash for r in records] == [FIRST_PREVHASH, *(r.sha256 for r in records[:-1])]
    assert mine == len(records)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB; only root can mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(outbox: Outbox) -> int:
    """Append until the disk is full; the last sequence that was accepted."""
    accepted = 0

    def append_for_ever() -> None:
        nonlocal accepted
        while True:
            with outbox.transaction() as transaction:
                record = transaction.append(make_clock(), at=NOON)
            accepted = record.sequence

    with pytest.raises(OutboxFull, match="disk is full"):
        append_for_ever()
    return accepted


def reads_back(outbox: Outbox, identity: Identity) -> list[int]:
    find = {identity.signing_key.key_id: identity.signing_key.verify_key}.get
    return [read_record(pending.raw, find).sequence for pending in outbox.due(limit=100_000)]


def test_on_a_full_disk_what_is_there_stays_and_work_goes_on_when_there_is_space_again(small_disk: Path) -> None:
    identity = make_identity()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    with Outbox.open(small_disk / "outbox.db", identity=identity) as outbox:
        accepted = fill(outbox)
        assert reads_back(outbox, identity) == list(range(1, accepted + 1))
        ballast.unlink()
        with outbox.transaction() as transaction:
            transaction.append(make_clock(), at=NOON)
        assert outbox.trouble == ""
    with Outbox.open(small_disk / "outbox.db", identity=identity) as outbox:
        assert reads_back(outbox, identity) == list(range(1, accepted + 2))


def test_a_disk_that_is_full_from_the_start_is_said_in_one_line(small_disk: Path) -> None:
    room = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(bytes(room.f_bavail * room.f_frsize))
    with pytest.raises(OutboxFull, match="disk is full") as caught:
        Outbox.open(small_disk / "outbox.db", identity=make_identity())
    assert "\n" not in str(caught.value)


def test_a_file_of_evidence_that_finds_no_space_leaves_nothing_behind(small_disk: Path) -> None:
    blobs = BlobStore(small_disk)
    with pytest.raises(BlobStoreFull, match="disk is full"):
        blobs.put(bytes(2_000_000))
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []
