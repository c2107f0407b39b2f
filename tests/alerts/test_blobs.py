"""Files named by their hash: whole, checked, and nowhere else than in their folder."""

import hashlib
import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.blobs import BlobStore
from alerts.errors import BlobBusy, BlobDamaged, BlobElsewhere, BlobMissing
from tests.alerts.parts import watch_syncs

TEA = hashlib.sha256(b"tea").hexdigest()


def files(blobs: BlobStore) -> list[str]:
    return [path.name for path in blobs.folder.rglob("*") if path.is_file()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(st.binary(max_size=1000))
def test_what_is_put_is_read_under_its_hash(blobs: BlobStore, data: bytes) -> None:
    sha256 = blobs.put(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert blobs.has(sha256)
    assert blobs.read(sha256) == data


def test_the_same_twice_is_one_file(blobs: BlobStore) -> None:
    assert blobs.put(b"tea") == blobs.put(b"tea") == TEA
    assert files(blobs) == [TEA]


@pytest.mark.parametrize(
    ("chunks", "size_bytes"),
    [([b"te", b"A"], None), ([b"te"], 3), ([b"te", b"a", b"!"], 3), ([], 3)],
    ids=["other bytes", "too short", "too long", "nothing"],
)
def test_a_stream_that_is_not_what_was_announced_leaves_nothing(
    blobs: BlobStore, chunks: list[bytes], size_bytes: int | None
) -> None:
    with pytest.raises(BlobDamaged):
        blobs.take(chunks, sha256=TEA, size_bytes=size_bytes)
    assert files(blobs) == []


def test_a_stream_that_is_what_was_announced_is_stored(blobs: BlobStore) -> None:
    blobs.take([b"t", b"", b"ea"], sha256=TEA, size_bytes=3)
    assert blobs.read(TEA) == b"tea"


def test_a_file_that_changed_on_the_disk_is_not_given_out(blobs: BlobStore) -> None:
    blobs.path(blobs.put(b"tea")).write_bytes(b"leaf")
    with pytest.raises(BlobDamaged):
        blobs.read(TEA)


def test_a_new_name_and_a_new_folder_are_on_the_disk(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = watch_syncs(monkeypatch)
    blobs.put(b"tea")
    assert {blobs.path(TEA).parent, blobs.folder} <= set(synced)


def test_what_a_killed_process_left_is_cleared_away_and_what_is_under_way_is_not(blobs: BlobStore) -> None:
    left, under_way, another = (blobs.folder / name for name in (f".{TEA}.0123abcd", f".{TEA}.4567abcd", ".keep"))
    for path in (left, under_way, another):
        path.write_bytes(b"te")
    for path in (left, another):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert set(files(BlobStore(blobs.folder))) == {under_way.name, another.name}


@given(data=st.binary(min_size=1, max_size=300), cuts=st.lists(st.integers(0, 300), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_file_in_pieces_is_whole_in_the_end_wherever_it_broke_off(
    blobs: BlobStore, data: bytes, cuts: list[int]
) -> None:
    sha256 = hashlib.sha256(data).hexdigest()
    blobs.remove(sha256)
    for cut in sorted({cut for cut in cuts if cut < len(data)}):
        offset = blobs.begun(sha256, by="box-1")
        append(blobs, data[offset:cut], sha256, len(data), offset)
        assert blobs.begun(sha256, by="box-1") == cut
        assert not blobs.has(sha256)
    offset = blobs.begun(sha256, by="box-1")
    append(blobs, data[offset:], sha256, len(data), offset)
    assert blobs.read(sha256) == data
    assert files(blobs).count(f".{sha256}.box-1.part") == 0


@pytest.mark.parametrize(
    ("piece", "offset", "error", "kept"),
    [(b"a", 1, BlobElsewhere, 2), (b"aa", 2, BlobDamaged, 0), (b"b", 2, BlobDamaged, 0)],
    ids=["elsewhere", "too long", "another file"],
)
def test_a_piece_that_does_not_fit_is_refused(
    blobs: BlobStore, piece: bytes, offset: int, error: type[Exception], kept: int
) -> None:
    append(blobs, b"te", TEA, 3, 0)
    with pytest.raises(error):
        append(blobs, piece, TEA, 3, offset)
    assert blobs.begun(TEA, by="box-1") == kept
    append(blobs, b"tea"[kept:], TEA, 3, kept)
    assert blobs.read(TEA) == b"tea"


def test_a_file_that_is_being_brought_is_not_brought_by_another(blobs: BlobStore) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"te"
        with pytest.raises(BlobBusy):
            append(blobs, b"tea", TEA, 3, 0)
        yield b"a"

    blobs.append(chunks(), sha256=TEA, size_bytes=3, offset=0, by="box-1")
    assert blobs.read(TEA) == b"tea"


def test_nobody_spoils_what_another_brings(blobs: BlobStore) -> None:
    append(blobs, b"te", TEA, 3, 0)
    with pytest.raises(BlobDamaged):
        blobs.append((b"lea",), sha256=TEA, size_bytes=3, offset=0, by="box-2")
    append(blobs, b"a", TEA, 3, 2)
    assert blobs.read(TEA) == b"tea"


def test_what_came_in_pieces_waits_a_month_for_the_rest(blobs: BlobStore) -> None:
    append(blobs, b"te", TEA, 3, 0)
    part = blobs.folder / f".{TEA}.box-1.part"
    for days, there in ((29, True), (31, False)):
        at_s = time.time() - days * 86_400
        os.utime(part, (at_s, at_s))
        BlobStore(blobs.folder)
        assert part.exists() is there


def append(blobs: BlobStore, piece: bytes, sha256: str, size_bytes: int, offset: int) -> None:
    blobs.append((piece,), sha256=sha256, size_bytes=size_bytes, offset=offset, by="box-1")


def test_a_missing_file_is_named(blobs: BlobStore) -> None:
    with pytest.raises(BlobMissing, match=TEA):
        blobs.read(TEA)
    blobs.remove(TEA)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n", "/" + "a" * 63])
def test_what_is_no_hash_is_no_path(blobs: BlobStore, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        blobs.path(name)
