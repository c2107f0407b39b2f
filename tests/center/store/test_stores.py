"""What holds of every store of evidence, in a folder and in a bucket: whole, checked, resumable, or not at all."""

import hashlib
import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.blobs import BlobStore
from alerts.errors import BlobBusy, BlobDamaged, BlobElsewhere, BlobMissing, BlobStoreFull, BlobStoreUnreachable
from center.errors import SettingsInvalid
from center.settings import Settings, load_settings
from center.store.bucket import BucketStore
from center.store.opening import open_store
from center.store.shelf import Shelf
from tests.alerts.brokers import free_port
from tests.center.store.seaweed import ACCESS_KEY_ID, READER, SECRET_ACCESS_KEY, Seaweed


def in_bucket(folder: Path, seaweed: Seaweed, **more: object) -> Settings:
    """A centre whose evidence lies in a bucket, under a prefix of its own."""
    (folder / "secrets").mkdir(parents=True, exist_ok=True)
    credentials = folder / "secrets" / "s3.yaml"
    credentials.touch(mode=0o600)
    credentials.write_text(f"access_key_id: {ACCESS_KEY_ID}\nsecret_access_key: {SECRET_ACCESS_KEY}\n")
    store = f"s3://evidence/{secrets.token_hex(4)}"
    return load_settings(folder, evidence={"store": store, "endpoint": seaweed.endpoint} | more)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "folder":
        return open_store(load_settings(tmp_path))
    return open_store(in_bucket(tmp_path, request.getfixturevalue("seaweed")))


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def append(store: Shelf, piece: bytes, data: bytes, offset: int, by: str = "box-1") -> None:
    store.append((piece,), sha256=hash_of(data), size_bytes=len(data), offset=offset, by=by)


DATA = bytes(range(256)) * 2048  # more than is streamed at once


def test_what_is_stored_is_there_by_its_hash_until_it_is_removed(store: Shelf, tmp_path: Path) -> None:
    sha256 = hash_of(DATA)
    assert not store.has(sha256)
    assert [store.put(DATA), store.put(DATA)] == [sha256, sha256]
    assert store.has(sha256)
    assert store.read(sha256) == DATA
    assert store.fetch(sha256, tmp_path).read_bytes() == DATA
    assert store.begun(sha256, by="anybody") == len(DATA)
    store.remove(sha256)
    store.remove(sha256)
    assert not store.has(sha256)
    for ask in (store.read, lambda name: list(store.stream(name)), lambda name: store.fetch(name, tmp_path)):
        with pytest.raises(BlobMissing, match=sha256):
            ask(sha256)


@pytest.mark.parametrize(("first", "last"), [(0, None), (0, 0), (1, 300_000), (262_144, 262_144), (500_000, None)])
def test_any_range_of_it_can_be_had(store: Shelf, first: int, last: int | None) -> None:
    sha256 = store.put(DATA)
    assert b"".join(store.stream(sha256, first, last)) == DATA[first : None if last is None else last + 1]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 4_999), max_size=4))
def test_a_file_in_pieces_is_there_when_it_is_whole_and_not_before(store: Shelf, cuts: list[int]) -> None:
    data = secrets.token_bytes(5_000)
    sha256 = hash_of(data)
    ends = [0, *sorted(set(cuts)), len(data)]
    for first, end in itertools.pairwise(ends):
        assert (store.has(sha256), store.begun(sha256, by="box-1")) == (False, first)
        append(store, data[first:end], data, first)
    assert (store.has(sha256), store.begun(sha256, by="box-1")) == (True, len(data))
    assert store.read(sha256) == data


def test_what_is_not_what_was_announced_is_never_there(store: Shelf) -> None:
    with pytest.raises(BlobDamaged):
        append(store, b"forged", b"sealed", 0)
    with pytest.raises(BlobDamaged):
        append(store, b"sealed and more", b"sealed", 0)
    with pytest.raises(BlobElsewhere):
        append(store, b"led", b"sealed", 3)
    assert (store.has(hash_of(b"sealed")), store.begun(hash_of(b"sealed"), by="box-1")) == (False, 0)


def test_who_brings_the_same_at_the_same_time_waits(store: Shelf) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"sea"
        with pytest.raises(BlobBusy):
            append(store, b"sealed", b"sealed", 0)
        yield b"led"

    store.append(chunks(), sha256=hash_of(b"sealed"), size_bytes=6, offset=0, by="box-1")
    assert store.read(hash_of(b"sealed")) == b"sealed"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_what_is_no_hash_names_nothing(store: Shelf, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.has(name)


def test_a_full_disk_takes_nothing_says_so_and_takes_again_when_there_is_room(
    store: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr("alerts.blobs.shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
        with pytest.raises(BlobStoreFull, match="the disk is full"):
            append(store, b"sealed", b"sealed", 0)
        assert folder_of(store).trouble
    append(store, b"sealed", b"sealed", 0)
    assert not folder_of(store).trouble
    assert store.read(hash_of(b"sealed")) == b"sealed"


def folder_of(store: Shelf) -> Shelf:
    return store._staging if isinstance(store, BucketStore) else store


def test_one_box_cannot_fill_the_disk_with_what_it_never_finishes(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, part_quota_bytes=1000)
    files = [secrets.token_bytes(400) for _ in range(4)]
    append(store, b"of another", b"of another box", 0, by="box-2")
    for data in files:
        append(store, data[:399], data, 0)
    begun = [store.begun(hash_of(data), by="box-1") for data in files]
    assert begun == [0, 0, 399, 399], "the oldest were forgotten"
    assert store.begun(hash_of(b"of another box"), by="box-2") == 10
    append(store, files[3][399:], files[3], 399)
    assert store.has(hash_of(files[3]))


def test_one_box_cannot_begin_files_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.blobs.MOST_PARTS", 3)
    store = BlobStore(tmp_path, part_quota_bytes=1000)
    files = [b"%d of many" % n for n in range(10)]
    for data in files:
        append(store, data[:1], data, 0)
    assert [store.begun(hash_of(data), by="box-1") for data in files] == [0] * 7 + [1] * 3


def test_a_bucket_that_is_gone_is_told_and_what_waited_for_it_is_brought_when_it_is_back(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    config = in_bucket(tmp_path, seaweed)
    nobody = config.evidence.model_copy(update={"endpoint": f"http://127.0.0.1:{free_port()}"})
    gone = open_store(config.model_copy(update={"evidence": nobody}))
    append(gone, b"sea", b"sealed", 0)
    with pytest.raises(BlobStoreUnreachable) as caught:
        append(gone, b"led", b"sealed", 3)
    assert str(caught.value).startswith("s3://evidence/")
    assert "\n" not in str(caught.value)
    assert gone.trouble == str(caught.value)
    assert SECRET_ACCESS_KEY not in gone.trouble
    back = open_store(config)
    assert back.begun(hash_of(b"sealed"), by="box-1") == 6
    back.clear_leftovers()
    assert back.read(hash_of(b"sealed")) == b"sealed"
    assert list(config.staging_folder.glob("??/*")) == []


def test_a_bucket_that_refuses_what_is_written_holds_one_file_up_here_and_takes_no_more_in(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    config = in_bucket(tmp_path, seaweed)
    store = open_store(config)
    store.put(b"before")
    credentials = tmp_path / "secrets" / "s3.yaml"
    own = credentials.read_text()
    credentials.write_text("access_key_id: {}\nsecret_access_key: {}\n".format(*READER))
    refused = open_store(config)
    with pytest.raises(BlobStoreFull, match="answers and takes nothing") as caught:
        append(refused, b"sealed", b"sealed", 0)
    assert len(str(caught.value).splitlines()) == 1
    assert (refused.trouble, refused.has(hash_of(b"before"))) == (str(caught.value), True)
    for again in (b"sealed", b"another", b"a third"):
        with pytest.raises(BlobStoreFull):
            append(refused, again, again, 0)
    assert [path.name for path in config.staging_folder.rglob("*") if path.is_file()] == [hash_of(b"sealed")]

    credentials.write_text(own)
    back = open_store(config)
    back.trouble = refused.trouble
    append(back, b"another", b"another", 0)
    assert [back.read(hash_of(data)) for data in (b"sealed", b"another")] == [b"sealed", b"another"]
    assert not back.trouble


def test_a_bucket_that_is_not_there_takes_nothing_and_what_is_brought_is_not_called_stored(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    config = in_bucket(tmp_path, seaweed)
    (tmp_path / "secrets" / "s3.yaml").write_text("access_key_id: {}\nsecret_access_key: {}\n".format(*READER))
    nowhere = config.evidence.model_copy(update={"store": f"s3://none-{secrets.token_hex(4)}"})
    store = open_store(config.model_copy(update={"evidence": nowhere}))
    with pytest.raises(BlobStoreFull, match="answers and takes nothing"):
        append(store, b"sealed", b"sealed", 0)


def test_a_key_that_is_not_right_is_said_in_one_line_without_it(tmp_path: Path, seaweed: Seaweed) -> None:
    config = in_bucket(tmp_path, seaweed)
    (tmp_path / "secrets" / "s3.yaml").write_text("access_key_id: tea\nsecret_access_key: of-somebody-else\n")
    with pytest.raises(BlobStoreUnreachable) as caught:
        open_store(config).has("a" * 64)
    assert "of-somebody-else" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_keys_of_a_bucket_are_nobody_elses_and_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_settings(tmp_path, evidence={"store": "s3://evidence/centre"})
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsInvalid, match="access_key_id is missing"):
        open_store(config)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tea")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "watch")
    assert isinstance(open_store(config), BucketStore)
    path = tmp_path / "secrets" / "s3.yaml"
    path.parent.mkdir()
    for text, mode, said in (
        ("access_key_id: a\nsecret_access_key: b\n", 0o644, "chmod 600"),
        ("access_key_id: a\n", 0o600, "secret_access_key is missing"),
        ("just words", 0o600, "two lines are expected"),
    ):
        path.write_text(text)
        path.chmod(mode)
        with pytest.raises(SettingsInvalid, match=said):
            open_store(config)


@pytest.mark.parametrize("store_name", ["bucket", "s3://", "s3://B/x", "https://x", "s3://ok/../x y"])
def test_what_is_no_store_is_refused_when_the_settings_are_read(tmp_path: Path, store_name: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"evidence\.store"):
        load_settings(tmp_path, evidence={"store": store_name})
