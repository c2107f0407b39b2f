"""Who a box is: kept whole, kept private."""

import errno
import itertools
import os
import stat
from pathlib import Path

import pytest

from alerts.errors import KeyFileError, NotEnrolled
from alerts.identity import Identity, replace_private_file
from tests.alerts.parts import make_identity, watch_syncs


def test_a_saved_identity_loads_again(tmp_path: Path) -> None:
    identity = make_identity()
    identity.save(tmp_path / "state")
    loaded = Identity.load(tmp_path / "state")
    assert loaded.signing_key.key_id == identity.signing_key.key_id
    assert loaded.centre_key == identity.centre_key
    assert (loaded.mqtt_password, loaded.center_url) == (identity.mqtt_password, identity.center_url)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()} == {0o600}


def test_key_and_identity_are_on_the_disk_once_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = watch_syncs(monkeypatch)
    make_identity().save(tmp_path)
    assert synced.count(tmp_path) == 2


def test_a_box_that_is_not_enrolled_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled, match="teawatch edge enrol"):
        Identity.load(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", '{"tenant": 1}', "not json"])
def test_a_damaged_identity_is_said_in_one_line(tmp_path: Path, content: str) -> None:
    make_identity().save(tmp_path)
    (tmp_path / "identity.json").write_text(content)
    with pytest.raises(NotEnrolled, match="damaged") as caught:
        Identity.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_identity_never_replaces_the_key_of_another(tmp_path: Path) -> None:
    make_identity().save(tmp_path)
    with pytest.raises(KeyFileError, match="another key"):
        make_identity().save(tmp_path)


def test_neither_password_nor_key_is_printed() -> None:
    printed = repr(make_identity())
    assert "s3cret" not in printed
    assert "rivate" not in printed


def test_two_threads_may_replace_a_file_at_once_and_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, depth = os.fsync, itertools.count()

    def meanwhile(descriptor: int) -> None:
        match next(depth):
            case 0:
                replace_private_file(tmp_path / "acl", b"of the other")
            case 3:
                raise OSError(errno.ENOSPC, "no space left on device")
        fsync(descriptor)

    monkeypatch.setattr("alerts.identity.os.fsync", meanwhile)
    monkeypatch.setattr("alerts.identity.sync_folder", lambda _: None)
    replace_private_file(tmp_path / "acl", b"mine")
    replace_private_file(tmp_path / "acl", b"mine again")
    with pytest.raises(OSError, match="no space"):
        replace_private_file(tmp_path / "acl", b"too much")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"acl": b"mine again"}
