"""A power cut after any write or sync of the outbox: it can be read, and nothing that was committed is lost."""

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from alerts.outbox import Outbox
from alerts.receipts import Ledger
from tests.alerts.parts import NOON, kept_of, make_alert, make_clock, make_identity
from tests.alerts.recording import Connection, Disk, Loss

IDENTITY = make_identity()
TRANSACTIONS = 24
CHECKPOINT_PAGES = 12
"""Small, so that the log is brought into the database and begun again several times."""


@dataclass(frozen=True)
class State:
    """What an outbox holds: the newest record, the bytes of those that wait, and the caller's own rows."""

    head: tuple[int, str]
    waiting: frozenset[bytes]
    incidents: tuple[str, ...]

    @classmethod
    def of(cls, outbox: Outbox) -> "State":
        with outbox.reading() as connection:
            said = connection.execute("SELECT said FROM incident ORDER BY id").fetchall()
        return cls(outbox.head(), frozenset(each.raw for each in outbox.due(limit=1000)), tuple(said))


@dataclass(frozen=True)
class Life:
    """What was done to the disk, and after how many steps which state was committed."""

    disk: Disk
    commits: list[tuple[int, State]]

    def may_be(self, steps: int) -> set[State]:
        """The last state committed by then, or the one that was being committed."""
        done = [state for count, state in self.commits if count <= steps]
        return {*done[-1:], *(state for count, state in self.commits[len(done) : len(done) + 1])}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """With the settings that a box has."""
    return live(tmp_path_factory.mktemp("life"), Connection)


class Careless(Connection):
    """Commits without a sync."""

    settings = ("journal_mode = WAL", "synchronous = NORMAL")


def live(folder: Path, connection: type[Connection]) -> Life:
    """A box's life: incidents with their records, receipts in any order, checkpoints."""
    disk, chance, commits = Disk(), random.Random(4), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("alerts.outbox.connect", connection)
        with Outbox.open(folder / "outbox.db", identity=IDENTITY) as outbox:
            outbox._connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            with outbox.transaction() as transaction:
                transaction.connection.execute("CREATE TABLE incident (id INTEGER PRIMARY KEY, said TEXT)")
            commits.append((len(disk.steps), State.of(outbox)))
            for number in range(TRANSACTIONS):
                _live(outbox, number, chance)
                commits.append((len(disk.steps), State.of(outbox)))
        commits.append((len(disk.steps), commits[-1][1]))
    return Life(disk, commits)


def _live(outbox: Outbox, number: int, chance: random.Random) -> None:
    waiting = [each.sequence for each in outbox.due(limit=1000)]
    if waiting and chance.random() < 0.4:
        came = [kept_of(outbox, sequence) for sequence in chance.sample(waiting, chance.randint(1, len(waiting)))]
        outbox.settle(Ledger.of(came).receipt(), at=NOON)
        return
    with outbox.transaction() as transaction:
        transaction.connection.execute("INSERT INTO incident (said) VALUES (?)", ("x" * chance.randint(1, 9000),))
        transaction.append(make_alert(), at=NOON)
        if chance.random() < 0.3:
            transaction.append(make_clock(number), at=NOON)


@pytest.mark.parametrize("loss", Loss)
def test_after_a_power_cut_the_outbox_holds_what_was_committed_and_nothing_by_halves(
    life: Life, loss: Loss, tmp_path: Path
) -> None:
    chance = random.Random(8)
    first = life.commits[0][0]
    assert len(life.disk.steps) - first > 200
    for count in range(first, len(life.disk.steps) + 1):
        folder = tmp_path / "left"
        folder.mkdir()
        life.disk.remains(count, loss, chance, folder)
        with Outbox.open(folder / "outbox.db", identity=IDENTITY) as outbox:
            assert State.of(outbox) in life.may_be(count), f"after step {count}: {life.disk.steps[count - 1].what}"
        shutil.rmtree(folder)


@pytest.mark.parametrize("loss", Loss)
def test_a_power_cut_while_the_outbox_is_made_leaves_one_that_can_be_opened(
    life: Life, loss: Loss, tmp_path: Path
) -> None:
    for count in range(life.commits[0][0]):
        folder = tmp_path / str(count)
        folder.mkdir()
        life.disk.remains(count, loss, random.Random(count), folder)
        with Outbox.open(folder / "outbox.db", identity=IDENTITY) as outbox:
            assert outbox.head()[0] == 0


def test_commits_that_are_not_synced_would_be_found_out(tmp_path: Path) -> None:
    careless = live(tmp_path, Careless)
    lost = 0
    for number, (count, _) in enumerate(careless.commits[1:-1]):
        folder = tmp_path / str(number)
        folder.mkdir()
        careless.disk.remains(count, Loss.ALL, random.Random(number), folder)
        with Outbox.open(folder / "outbox.db", identity=IDENTITY) as outbox, outbox.reading() as connection:
            is_there = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'incident'").fetchone()[0]
            lost += not is_there or State.of(outbox) not in careless.may_be(count)
    assert lost > TRANSACTIONS / 2
