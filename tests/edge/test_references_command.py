"""`teawatch edge reference`: a camera that was turned on purpose is learnt anew, and only that one."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alerts.outbox import Outbox
from edge.cli import app
from edge.coverage import Sight
from edge.health import HealthWatch
from edge.outlook import Outlook
from edge.references import ReferenceShelf
from edge.settings import OUTBOX_FILE, REFERENCES_FOLDER
from tests.edge.parts import NOON, VIEW, make_identity


@pytest.fixture
def shelf(tmp_path: Path) -> ReferenceShelf:
    """Two cameras' views in a box's state."""
    shelf = ReferenceShelf(tmp_path / REFERENCES_FOLDER)
    for camera in ("gate.1", "yard"):
        shelf.save(camera, VIEW)
    return shelf


def forget(camera: str, state: Path) -> Result:
    return CliRunner().invoke(app, ["reference", camera, "--state", str(state)])


def test_it_removes_one_cameras_view_and_says_what_happens_next(shelf: ReferenceShelf, tmp_path: Path) -> None:
    done = forget("gate.1", tmp_path)
    assert (done.exit_code, done.output.count("\n")) == (0, 1)
    assert done.output.startswith("gate.1: its view is forgotten; the box learns it anew")
    assert shelf.cameras() == ("yard",)


@pytest.mark.parametrize("camera", ["gate.2", "", "../outbox", "../references/yard"])
def test_a_camera_without_a_view_is_said_with_those_that_have_one(
    camera: str, shelf: ReferenceShelf, tmp_path: Path
) -> None:
    done = forget(camera, tmp_path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"teawatch edge: there is no reference view of {camera!r}; there is: gate.1, yard\n"
    assert shelf.cameras() == ("gate.1", "yard")


def test_a_box_that_never_watched_has_no_views_yet(tmp_path: Path) -> None:
    done = forget("yard", tmp_path)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.endswith("there is: none yet\n")


class Watching:
    """What `Outlook` asks of a running box, here of one camera."""

    def __init__(self) -> None:
        self.watch = HealthWatch()

    def sights(self) -> dict[str, Sight]:
        return {"yard": Sight()}

    def health(self, camera: str) -> HealthWatch:
        assert camera == "yard"
        return self.watch


def test_a_running_box_begins_anew_when_its_view_was_removed(shelf: ReferenceShelf, tmp_path: Path) -> None:
    box = Watching()
    with Outbox.open(tmp_path / OUTBOX_FILE, identity=make_identity()) as outbox:
        outlook = Outlook(box, outbox, shelf, lambda *_, **__: None, now=lambda: NOON)  # type: ignore[arg-type]
        assert box.watch.reference is not None
        assert forget("yard", tmp_path).exit_code == 0
        outlook()
    assert box.watch.reference is None
