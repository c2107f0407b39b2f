"""The container: one form only, and whatever else a file may be is refused in one line."""

import io
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.bundles.container import Container, Part, is_name, open_bytes, write_container
from alerts.errors import BundleUnfit

MEMBERS = {"a.txt": b"one", "files/b.jpg": b"two" * 50, "z.json": b""}


def pack(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    write_container(target, [Part.of(name, data) for name, data in members.items()])
    return target.getvalue()


def zipped(members: dict[str, bytes], **changes: object) -> bytes:
    """As a ZIP program writes it, fields as a bundle has them but for `changes`."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr, info.create_system = 0o100644 << 16, 3
            for field, value in changes.items():
                setattr(info, field, value)
            packed.writestr(info, data)
    return target.getvalue()


def code_of(raw: bytes) -> str:
    with pytest.raises(BundleUnfit) as caught:
        open_bytes(raw)
    assert "\n" not in str(caught.value)
    return caught.value.finding.code


@given(
    st.dictionaries(st.from_regex(r"[a-z0-9]{1,8}(/[a-z0-9][a-z0-9.]{1,8})?", fullmatch=True), st.binary(max_size=64))
)
def test_what_is_written_is_read_again_and_any_zip_program_reads_it(members: dict[str, bytes]) -> None:
    raw = pack(members)
    container = open_bytes(raw)
    assert {name: container.read(name) for name in container.members} == members
    with zipfile.ZipFile(io.BytesIO(raw)) as unpacked:
        assert {name: unpacked.read(name) for name in unpacked.namelist()} == members
    assert pack(dict(reversed(members.items()))) == raw


RAW = pack(MEMBERS)


def overlapping(raw: bytes) -> bytes:
    """The second member's directory entry points at the first one's bytes."""
    second = raw.index(b"PK\x01\x02", raw.index(b"PK\x01\x02") + 1)
    return raw[: second + 42] + struct.pack("<L", 0) + raw[second + 46 :]


def encrypted(raw: bytes) -> bytes:
    at = raw.index(b"PK\x01\x02") + 8
    return raw[:at] + b"\x01\x00" + raw[at + 2 :]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_a_zip"),
        (b"PK", "not_a_zip"),
        (b"%PDF-1.7 and more" * 20, "not_a_zip"),
        (RAW[:-1], "cut_file"),
        (RAW[:60], "cut_file"),
        (RAW + b"more", "bytes_after"),
        (RAW + b"\n", "bytes_after"),
        (RAW + RAW, "bytes_between"),
        (b"#!/bin/sh\n" + RAW, "bytes_before"),
        (RAW[:-2] + b"\x04\x00note", "bytes_after"),
        (RAW[:40] + b"x" + RAW[40:], "bytes_between"),
        (overlapping(RAW), "bytes_between"),
        (encrypted(RAW), "encrypted"),
        (zipped(MEMBERS, date_time=(2026, 1, 1, 0, 0, 0)), "other_form"),
        (zipped(MEMBERS, external_attr=0o120777 << 16), "link"),
        (zipped(MEMBERS, external_attr=0o100755 << 16), "other_form"),
        (zipped(MEMBERS, comment=b"hello"), "extra_field"),
        (zipped(MEMBERS, extra=b"\x42\x42\x01\x00x"), "extra_field"),
        (zipped(MEMBERS, compress_type=zipfile.ZIP_DEFLATED), "compressed"),
        (zipped({"bomb": bytes(10**7)}, compress_type=zipfile.ZIP_DEFLATED), "compressed"),
        (zipped(dict(reversed(MEMBERS.items()))), "members_reordered"),
        (zipped({"../etc/passwd": b"x"}), "path_trick"),
        (zipped({"/etc/passwd": b"x"}), "path_trick"),
        (zipped({"C:\\autoexec.bat": b"x"}), "path_trick"),
        (zipped({"日志": b"x"}), "path_trick"),
        (zipped({"a//b": b"x"}), "path_trick"),
        (pack({"name1": b"1", "name2": b"2"}).replace(b"name2", b"name1"), "twice"),
    ],
)
def test_what_is_not_of_the_one_form_is_refused_with_a_line(raw: bytes, code: str) -> None:
    assert code_of(raw) == code


def test_more_members_than_any_bundle_has_are_not_even_listed() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 60_000, 60_000, 10, 0, 0)
    assert code_of(b"PK\x03\x04" + bytes(6) + end) == "too_many"


def test_a_directory_longer_than_its_members_can_have_is_not_read() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 9_000, 4, 0)
    assert code_of(b"PK\x03\x04" + bytes(9_000) + end) == "other_form"


class Huge(io.BytesIO):
    """A file that says it is longer than any bundle."""

    def seek(self, offset: int, whence: int = 0) -> int:
        return 2**40 if whence == 2 else super().seek(offset, whence)


def test_a_file_longer_than_any_bundle_is_not_read() -> None:
    with pytest.raises(BundleUnfit, match="has 2147483647 at most"):
        Container(Huge())


@given(st.integers(0, len(RAW) - 1), st.integers(0, 7))
def test_a_flipped_bit_of_any_header_is_seen_and_one_of_a_member_is_left_to_its_hash(at: int, bit: int) -> None:
    flipped = bytearray(RAW)
    flipped[at] ^= 1 << bit
    try:
        container = open_bytes(bytes(flipped))
    except BundleUnfit:
        return
    assert {name: container.read(name) for name in container.members} != MEMBERS


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    for tried in (raw, RAW[:30] + raw + RAW[60:], RAW[:-22] + raw):
        with suppress(BundleUnfit):
            open_bytes(tried)


@pytest.mark.parametrize("bad", ["", ".", "..", "a/../b", "/a", "a/", "a\\b", "a\0b", "é", "x" * 300])
def test_no_member_is_called_so(bad: str) -> None:
    assert not is_name(bad)
    part = Part.of(bad, b"")
    with pytest.raises(ValueError, match="plain names"):
        write_container(io.BytesIO(), [part])
