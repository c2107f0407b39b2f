"""The bundle's container: a ZIP file that can be written in one way only, so that a reader can tell any other.

Members are stored as they are (a compressed member could swell, and compressors differ), sorted by name, all from
1980-01-01 with mode 0644, without extra fields or comments (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4; no ZIP64).
Written here and not by `zipfile`, whose bytes depend on the Python that runs it; any ZIP program reads the result.
"""

import hashlib
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Self

from alerts.bundles.findings import Finding
from alerts.errors import BundleUnfit

MAX_MEMBERS = 10_000
MAX_BYTES = 2**31 - 1
"""A whole bundle; below the length from which ZIP needs other fields."""

MAX_NAME = 220
CHUNK_BYTES = 1 << 18

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION, _UNIX = 20, 3
_NEW_YEAR_1980 = 1 << 5 | 1
_MODE = 0o100644
_LONGEST_COMMENT = 0xFFFF
_ENCRYPTED = 1
_KIND, _LINK = 0o170000, 0o120000


@dataclass(frozen=True, slots=True)
class Part:
    """A member to be written: its bytes or the file that holds them, measured once."""

    name: str
    source: bytes | Path
    size_bytes: int
    sha256: str
    crc: int

    @classmethod
    def of(cls, name: str, source: bytes | Path) -> Self:
        """Measure it. Raises OSError."""
        sha256, crc, size_bytes = hashlib.sha256(), 0, 0
        for chunk in _chunks_of(source):
            sha256.update(chunk)
            crc = zlib.crc32(chunk, crc)
            size_bytes += len(chunk)
        return cls(name, source, size_bytes, sha256.hexdigest(), crc)


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the container's directory has it; `begins` is where its bytes do."""

    name: str
    size_bytes: int
    crc: int
    begins: int


def is_name(text: str) -> bool:
    """Whether a member may be called so: relative, plain, without a way out of the folder it is unpacked into."""
    return len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None


def write_container(target: BinaryIO, parts: Iterable[Part]) -> None:
    """Write the one container of these parts. Raises ValueError for what cannot be in one, OSError."""
    ordered = sorted(parts, key=lambda part: part.name)
    names = [part.name for part in ordered]
    if len(set(names)) < len(names) or not all(map(is_name, names)) or len(names) > MAX_MEMBERS:
        raise ValueError("the members of a bundle have plain names, each its own, and are not too many")
    members, end = _lay_out((part.name, part.size_bytes, part.crc) for part in ordered)
    if end > MAX_BYTES:
        raise ValueError(f"{end} bytes; a bundle holds {MAX_BYTES} at most")
    for part, member in zip(ordered, members, strict=True):
        target.write(_local_header(member))
        target.writelines(_chunks_of(part.source))
    target.write(_directory(members, end))


class Container:
    """An open bundle whose directory and headers are as this module writes them; its members' bytes are not judged."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises BundleUnfit for whatever is not such a file, and OSError; reads no member."""
        self._file = file
        self.size_bytes = file.seek(0, 2)
        if self.size_bytes > MAX_BYTES:
            raise BundleUnfit(Finding("too_large", {"size": self.size_bytes, "most": MAX_BYTES}))
        self.members = {member.name: member for member in self._read_directory()}

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member's bytes."""
        member = self.members[name]
        self._file.seek(member.begins)
        left = member.size_bytes
        while left and (chunk := self._file.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk

    def read(self, name: str) -> bytes:
        """A whole member, which the caller knows to be small enough."""
        return b"".join(self.chunks(name))

    def measure(self, name: str) -> Part:
        """What the member's bytes come to."""
        sha256, crc, size_bytes = hashlib.sha256(), 0, 0
        for chunk in self.chunks(name):
            sha256.update(chunk)
            crc = zlib.crc32(chunk, crc)
            size_bytes += len(chunk)
        return Part(name, b"", size_bytes, sha256.hexdigest(), crc)

    def _read_directory(self) -> tuple[Member, ...]:
        count, begins = self._read_end()
        told = _parse_directory(self._at(begins, self.size_bytes - _END.size - begins), count)
        members, end = _lay_out((each.name, each.size_bytes, each.crc) for each in told)
        if end != self.size_bytes or [each.begins for each in members] != [each.begins for each in told]:
            raise BundleUnfit(Finding("bytes_between"))
        if self._at(begins, self.size_bytes - begins) != _directory(members, end):
            raise BundleUnfit(Finding("other_form", {"name": "central directory"}))
        for member in members:
            header = _local_header(member)
            if self._at(member.begins - len(header), len(header)) != header:
                raise BundleUnfit(Finding("other_form", {"name": member.name}))
        return members

    def _read_end(self) -> tuple[int, int]:
        """How many members the end of the file tells of, and where the directory begins."""
        if self.size_bytes < _END.size or self._at(self.size_bytes - _END.size, 4) != _END_MARK:
            raise BundleUnfit(self._why_no_end())
        fields = _END.unpack(self._at(self.size_bytes - _END.size, _END.size))
        _, _, _, _, count, length, begins, comment = fields
        if comment:
            raise BundleUnfit(Finding("cut_file"))
        if count > MAX_MEMBERS:
            raise BundleUnfit(Finding("too_many", {"count": count, "most": MAX_MEMBERS}))
        if length > count * (_CENTRAL.size + MAX_NAME):
            raise BundleUnfit(Finding("other_form", {"name": "central directory"}))
        if begins + length + _END.size != self.size_bytes:
            is_short = begins + length + _END.size > self.size_bytes
            begins_well = self._at(0, 4) in {_LOCAL_MARK, _END_MARK}
            raise BundleUnfit(Finding("cut_file" if is_short else "bytes_between" if begins_well else "bytes_before"))
        return count, begins

    def _why_no_end(self) -> Finding:
        if self._at(0, 4) not in {_LOCAL_MARK, _END_MARK}:
            at = self._at(0, min(self.size_bytes, _LONGEST_COMMENT)).find(_LOCAL_MARK)
            return Finding("bytes_before" if at > 0 else "not_a_zip")
        tail = self._at(max(0, self.size_bytes - _LONGEST_COMMENT - _END.size), _LONGEST_COMMENT + _END.size)
        return Finding("bytes_after" if _END_MARK in tail[: len(_END_MARK) - _END.size] else "cut_file")

    def _at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)


def open_bytes(data: bytes) -> Container:
    """A bundle that is in memory. Raises BundleUnfit."""
    return Container(BytesIO(data))


def _chunks_of(source: bytes | Path) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _lay_out(entries: Iterable[tuple[str, int, int]]) -> tuple[tuple[Member, ...], int]:
    """The members with their places, and the length of the whole file."""
    members, offset, directory = [], 0, 0
    for name, size_bytes, crc in entries:
        begins = offset + _LOCAL.size + len(name)
        members.append(Member(name, size_bytes, crc, begins))
        offset = begins + size_bytes
        directory += _CENTRAL.size + len(name)
    return tuple(members), offset + directory + _END.size


def _local_header(member: Member) -> bytes:
    name = member.name.encode()
    fixed = (_VERSION, 0, 0, 0, _NEW_YEAR_1980, member.crc, member.size_bytes, member.size_bytes, len(name), 0)
    return _LOCAL.pack(_LOCAL_MARK, *fixed) + name


def _directory(members: Sequence[Member], end: int) -> bytes:
    entries = b"".join(map(_central_header, members))
    begins = end - _END.size - len(entries)
    return entries + _END.pack(_END_MARK, 0, 0, len(members), len(members), len(entries), begins, 0)


def _central_header(member: Member) -> bytes:
    name = member.name.encode()
    fixed = (_UNIX << 8 | _VERSION, _VERSION, 0, 0, 0, _NEW_YEAR_1980, member.crc, member.size_bytes, member.size_bytes)
    offset = member.begins - len(name) - _LOCAL.size
    return _CENTRAL.pack(_CENTRAL_MARK, *fixed, len(name), 0, 0, 0, 0, _MODE << 16, offset) + name


def _parse_directory(raw: bytes, count: int) -> tuple[Member, ...]:
    """The directory's entries, once each alone is one that this module could have written. Raises BundleUnfit."""
    told: list[Member] = []
    at = 0
    for _ in range(count):
        if len(raw) < at + _CENTRAL.size or not raw.startswith(_CENTRAL_MARK, at):
            raise BundleUnfit(Finding("other_form", {"name": "central directory"}))
        member, length = _parse_entry(raw, at)
        told.append(member)
        at += length
    names = [each.name for each in told]
    if twice := next((name for name, count in Counter(names).items() if count > 1), ""):
        raise BundleUnfit(Finding("twice", {"name": twice}))
    if at != len(raw):
        raise BundleUnfit(Finding("bytes_between"))
    if names != sorted(names):
        raise BundleUnfit(Finding("members_reordered"))
    return tuple(told)


def _parse_entry(raw: bytes, at: int) -> tuple[Member, int]:
    fields = _CENTRAL.unpack_from(raw, at)
    _, _, _, flags, method, _, _, crc, packed, size_bytes, name_length, extra, comment, _, _, mode, offset = fields
    name = raw[at + _CENTRAL.size : at + _CENTRAL.size + name_length].decode("ascii", "backslashreplace")
    shown = {"name": ascii(name[:120])}
    if not is_name(name):
        raise BundleUnfit(Finding("path_trick", shown))
    if flags & _ENCRYPTED:
        raise BundleUnfit(Finding("encrypted", shown))
    if method or packed != size_bytes:
        raise BundleUnfit(Finding("compressed", shown))
    if (mode >> 16) & _KIND == _LINK:
        raise BundleUnfit(Finding("link", shown))
    if extra or comment:
        raise BundleUnfit(Finding("extra_field", shown))
    begins = offset + _LOCAL.size + len(name)
    return Member(name, size_bytes, crc, begins), _CENTRAL.size + name_length
