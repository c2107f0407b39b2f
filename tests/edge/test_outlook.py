"""What a running box writes down about its own seeing: coverage in the outbox, references on the shelf."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from alerts.errors import OutboxFull
from alerts.messages import Coverage
from edge.coverage import CoverageLedger
from edge.gate.gate import GateSettings
from edge.outlook import Outlook
from edge.overview import Overview
from edge.references import ReferenceShelf
from edge.views import HEIGHT, WIDTH
from streams.frames import Camera, Pace
from tests.edge.parts import NOON, VIEW
from tests.edge.test_box import Rig


class Lookout:
    """A box of a camera that plays and one that is not there, and what is written down about both."""

    def __init__(self, folder: Path, film: Path, patch: pytest.MonkeyPatch) -> None:
        patch.setattr("edge.outlook.NOTE_EVERY_S", 0.0)
        patch.setattr("edge.outlook.SHELF_EVERY_S", 0.0)
        patch.setattr("edge.box.TICK_S", 0.02)
        self.plays = Camera(id="plays", url=str(film), pace=Pace.LOOP)
        self.missing = Camera(id="missing", url=str(folder / "nowhere.avi"))
        self.rig = Rig(folder / "state", self.plays, self.missing, until_end=False)
        self.shelf = ReferenceShelf(folder / "references")
        self.started_s = time.monotonic()
        self.outlook = self.make()

    def now(self) -> object:
        return NOON + timedelta(seconds=time.monotonic() - self.started_s)

    def make(self) -> Outlook:
        return Outlook(self.rig.box, self.rig.bench.outbox, self.shelf, self.rig.tell, now=self.now)  # type: ignore[arg-type]

    def watch(self) -> None:
        """Until the camera that plays has been looked at, noting how things are meanwhile."""
        noted = threading.Condition()
        ticks = 0

        def note() -> None:
            nonlocal ticks
            with noted:
                self.outlook()
                ticks += 1
                noted.notify_all()

        self.rig.box._on_tick = note
        thread = threading.Thread(target=self.rig.box.run)
        thread.start()
        try:
            self.rig.wait_for("seen")
            with noted:
                enough = ticks + 5
                assert noted.wait_for(lambda: ticks >= enough, 20)
        finally:
            self.rig.box.stop()
            thread.join(20)

    def coverage(self) -> dict[str, list[Coverage]]:
        found: dict[str, list[Coverage]] = {}
        for record in self.rig.bench.records():
            if isinstance(record.data, Coverage):
                found.setdefault(record.data.camera, []).append(record.data)
        return found


@pytest.fixture
def lookout(tmp_path: Path, short_clip: Path, monkeypatch: pytest.MonkeyPatch) -> Lookout:
    return Lookout(tmp_path, short_clip, monkeypatch)


def test_at_the_end_it_is_reported_who_was_watched_and_who_was_not(lookout: Lookout) -> None:
    lookout.watch()
    assert lookout.coverage() == {}, "nothing was due yet"
    lookout.outlook.close()
    found = lookout.coverage()
    assert set(found) == {"plays", "missing"}
    assert sum(each.seen_ms for each in found["plays"]) > 0
    assert sum(each.seen_ms for each in found["missing"]) == 0
    assert {part.hindrance for each in found["missing"] for part in each.stretches} == {"no_stream"}


def test_a_camera_that_is_taken_away_is_reported_to_its_last_second(lookout: Lookout) -> None:
    lookout.watch()
    lookout.rig.box.use([lookout.rig.duty(lookout.missing)], lambda _: None)
    lookout.outlook()
    assert list(lookout.coverage()) == ["plays"]


def test_a_camera_that_cannot_be_written_off_keeps_no_other_from_being_noted(
    lookout: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout.watch()
    lookout.outlook()
    lookout.rig.box.use([lookout.rig.duty(lookout.missing)], lambda _: None)
    noted: list[float] = []
    with monkeypatch.context() as patch:
        patch.setattr(lookout.rig.bench.outbox, "transaction", full)
        patch.setattr(CoverageLedger, "note", lambda *_, monotonic_s: noted.append(monotonic_s))
        for _ in range(3):
            with pytest.raises(OutboxFull):
                lookout.outlook()
    assert len(noted) == 3
    lookout.outlook()
    assert list(lookout.coverage()) == ["plays"]


def test_the_next_run_says_that_the_box_was_off(lookout: Lookout) -> None:
    lookout.watch()
    lookout.outlook.close()
    lookout.started_s -= 3600
    lookout.outlook = lookout.make()
    lookout.outlook()
    lookout.outlook.close()
    last = lookout.coverage()["plays"][-1]
    assert last.stretches[0].hindrance == "box_off"
    assert last.stretches[0].length_ms == pytest.approx(3_600_000, abs=60_000)


def test_a_reference_that_was_made_is_stored_and_taken_up_by_the_next_run(lookout: Lookout) -> None:
    lookout.rig.box.health("plays").renew(VIEW)
    lookout.outlook()
    assert (lookout.shelf.has("plays"), lookout.shelf.has("missing")) == (True, False)
    lookout.rig.box.health("plays").renew()
    lookout.outlook = lookout.make()
    reference = lookout.rig.box.health("plays").reference
    assert reference is not None
    assert reference.made_at == NOON


def test_a_reference_that_is_removed_is_forgotten_and_made_anew(lookout: Lookout) -> None:
    lookout.rig.box.health("plays").renew(VIEW)
    lookout.outlook()
    lookout.shelf.remove("plays")
    lookout.outlook()
    assert lookout.rig.box.health("plays").reference is None
    lookout.rig.box.health("plays").renew(VIEW)
    lookout.outlook()
    assert lookout.shelf.has("plays")


def test_a_shelf_that_cannot_be_written_is_said_once_and_ends_nothing(
    lookout: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ReferenceShelf, "save", full)
        lookout.rig.box.health("plays").renew(VIEW)
        for _ in range(3):
            lookout.outlook()
    said = [fields for event, fields in lookout.rig.said if event == "trouble" and fields["what"] == "references"]
    assert [fields["reason"] for fields in said] == ["cannot be stored: No space left on device"]
    lookout.outlook()
    assert lookout.shelf.has("plays")


@pytest.mark.parametrize("change", [{"looks_per_s": 5}, {"gate": GateSettings()}])
def test_a_camera_that_is_watched_in_another_way_keeps_its_reference(
    change: dict[str, object], lookout: Lookout
) -> None:
    lookout.rig.box.health("plays").renew(VIEW)
    lookout.outlook()
    before = lookout.rig.box.health("plays")
    lookout.rig.box.use([lookout.rig.duty(lookout.plays, **change)], lambda _: None)
    lookout.outlook()
    after = lookout.rig.box.health("plays")
    assert after is not before
    assert after.reference is not None
    assert after.reference.made_at == NOON


def test_a_reference_that_is_damaged_in_any_way_is_none(tmp_path: Path) -> None:
    shelf = ReferenceShelf(tmp_path)
    shelf.save("plays", replace(VIEW, field=np.random.default_rng(1).random((HEIGHT, WIDTH)).astype(np.complex64)))
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    usable = 0
    for at in range(0, len(whole), len(whole) // 200):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        usable += shelf.load("plays") is not None
    path.write_bytes(whole[: len(whole) // 2])
    assert shelf.load("plays") is None
    assert usable < 100


def full(*_: object, **__: object) -> None:
    raise OutboxFull("the disk is full")


def test_an_outbox_that_is_full_at_the_end_is_said_and_loses_nothing_that_was_noted(
    lookout: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout.watch()
    with monkeypatch.context() as patch:
        patch.setattr(lookout.rig.bench.outbox, "transaction", full)
        lookout.outlook.close()
    said = [fields for event, fields in lookout.rig.said if event == "trouble" and fields["what"] == "outbox"]
    assert [fields["reason"] for fields in said] == ["the disk is full"]
    lookout.outlook.close()
    assert sum(each.seen_ms for each in lookout.coverage()["plays"]) > 0


def test_an_overview_has_every_camera_and_the_same_as_figures(lookout: Lookout) -> None:
    overview = Overview(lookout.rig.box, lookout.rig.bench.outbox, "box-1", now=lambda: NOON)
    lookout.watch()
    lookout.outlook.close()
    snapshot = overview()
    assert (snapshot.at, snapshot.device, snapshot.sessions) == (NOON, "box-1", 1)
    cameras = {each.camera: each for each in snapshot.cameras}
    assert set(cameras) == {"plays", "missing"}
    assert cameras["plays"].packets > 0
    assert cameras["plays"].depth == "always"
    assert cameras["missing"].packets == 0
    assert "nowhere.avi" in cameras["missing"].reason
    assert snapshot.pending_records == len(lookout.rig.bench.records())
    assert snapshot.resident_mib > 10
    samples = {sample.labels.get("camera") for metric in overview.registry.collect() for sample in metric.samples}
    assert {"plays", "missing"} <= samples
