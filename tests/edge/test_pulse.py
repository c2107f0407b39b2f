"""What a box does beside watching: a duty that fails ends nothing, is said, and is said again when it comes back."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alerts.errors import OutboxFull
from alerts.outbox import Outbox
from edge.pulse import STUCK_S, WELL_AFTER_S, Pulse
from tests.edge.parts import NOON, make_identity


class Beating:
    """A pulse with one duty, which fails as it is told to, on a clock that is moved by hand."""

    def __init__(self, outbox: Outbox, patch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        patch.setattr("edge.pulse.time", SimpleNamespace(monotonic=lambda: self.now_s))
        self.said: list[tuple[str, str]] = []
        self.done = 0
        self.failure: Exception | None = None
        self.pulse = Pulse(outbox, self._hear, now=lambda: NOON)
        self.pulse.duties = (self._fail, self._count)

    def _hear(self, event: str, /, **fields: Any) -> None:
        self.said.append((event, fields.get("reason", "")))

    def _fail(self) -> None:
        if self.failure:
            raise self.failure

    def _count(self) -> None:
        self.done += 1

    def beat(self, seconds: float, failure: Exception | None = None) -> None:
        self.failure = failure
        for _ in range(round(2 * seconds)):
            self.now_s += 0.5
            self.pulse()


@pytest.fixture
def beating(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beating]:
    with Outbox.open(tmp_path / "outbox.sqlite3", identity=make_identity()) as outbox:
        yield Beating(outbox, monkeypatch)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The service manager's end."""
    address = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.bind(address)
        opened.setblocking(False)
        yield opened


@pytest.mark.parametrize(
    "failure", [OutboxFull("the disk is full"), sqlite3.OperationalError("database is locked"), OSError("no disk")]
)
def test_a_duty_that_fails_is_said_once_and_keeps_no_other_from_being_done(
    failure: Exception, beating: Beating
) -> None:
    beating.beat(60, failure)
    assert beating.said == [("trouble", str(failure))]
    assert beating.done == 120


def test_it_is_said_again_when_it_comes_back_after_all_was_well(beating: Beating) -> None:
    full = OutboxFull("the disk is full")
    beating.beat(5, full)
    beating.beat(WELL_AFTER_S - 1)
    beating.beat(5, full)
    assert beating.said == [("trouble", "the disk is full")]
    beating.beat(WELL_AFTER_S + 1)
    beating.beat(5, full)
    assert beating.said == [("trouble", "the disk is full"), ("trouble_over", ""), ("trouble", "the disk is full")]


def test_two_troubles_that_take_turns_are_each_said_once(beating: Beating) -> None:
    for _ in range(10):
        beating.beat(1, OutboxFull("the disk is full"))
        beating.beat(1, OutboxFull("the file is locked"))
    assert [reason for _, reason in beating.said] == ["the disk is full", "the file is locked"]


def test_a_session_that_hangs_is_said_once_and_the_service_manager_hears_no_more_until_it_comes_back(
    manager: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")

    def heard() -> int:
        count = 0
        with suppress(BlockingIOError):
            while manager.recv(200):
                count += 1
        return count

    with Outbox.open(tmp_path / "outbox.sqlite3", identity=make_identity()) as outbox:
        monkeypatch.setattr("edge.watchdog.time", SimpleNamespace(monotonic=lambda: beating.now_s))
        beating = Beating(outbox, monkeypatch)
        fed = []
        for turn_s in (0.0, STUCK_S - 1, STUCK_S, STUCK_S + 30, 0.1):
            beating.pulse.turn_s = lambda turn_s=turn_s: turn_s  # type: ignore[misc]
            beating.beat(3)
            fed.append(heard())
    assert fed == [4, 3, 0, 0, 3]
    assert [event for event, _ in beating.said] == ["trouble", "trouble_over"]
    assert beating.done == 30, "whatever else there is to do is done"


def test_the_service_manager_hears_that_the_box_has_started_when_it_has(
    manager: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    with Outbox.open(tmp_path / "outbox.sqlite3", identity=make_identity()) as outbox:
        beating = Beating(outbox, monkeypatch)
        with pytest.raises(BlockingIOError):
            manager.recv(200)
        beating.beat(2)
        said = [manager.recv(200).decode() for _ in range(2)]
        with pytest.raises(BlockingIOError):
            manager.recv(200)
    assert said == ["READY=1", "WATCHDOG=1\nSTATUS=watching"]
