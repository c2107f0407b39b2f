"""MQTT 3.1.1 as bytes on a wire: where packets end, what a PUBLISH says, what a PUBACK looks like.

Only what a man in the middle needs; sections are those of the OASIS standard of 2014.
"""

from collections.abc import Iterator
from dataclasses import dataclass

PUBLISH, PUBACK = 3, 4
_MOST_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Publication:
    """A PUBLISH of QoS 1 (3.3)."""

    topic: str
    packet_id: int
    payload: bytes


class Packets:
    """Cuts a stream into packets."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every packet that is whole now."""
        self._waiting += data
        while (size := _size(self._waiting)) is not None and len(self._waiting) >= size:
            packet = bytes(self._waiting[:size])
            del self._waiting[:size]
            yield packet


def kind_of(packet: bytes) -> int:
    """The control packet type (2.2.1)."""
    return packet[0] >> 4


def read_publication(packet: bytes) -> Publication | None:
    """What a PUBLISH of QoS 1 says; None for anything else."""
    if kind_of(packet) != PUBLISH or packet[0] & 0b0110 != 0b0010:  # noqa: PLR2004 - the two bits of the QoS
        return None
    start = 1 + _length_bytes(packet)
    topic_bytes = int.from_bytes(packet[start : start + 2])
    at = start + 2 + topic_bytes
    topic = packet[start + 2 : at].decode()
    return Publication(topic, int.from_bytes(packet[at : at + 2]), packet[at + 2 :])


def write_publication(publication: Publication) -> bytes:
    """A PUBLISH of QoS 1, neither repeated nor retained."""
    topic = publication.topic.encode()
    body = len(topic).to_bytes(2) + topic + publication.packet_id.to_bytes(2) + publication.payload
    return bytes([PUBLISH << 4 | 0b0010]) + _write_length(len(body)) + body


def write_puback(packet_id: int) -> bytes:
    """What a broker answers (3.4)."""
    return bytes([PUBACK << 4, 2]) + packet_id.to_bytes(2)


def read_puback(packet: bytes) -> int | None:
    """Which packet it answers; None for anything else."""
    return int.from_bytes(packet[2:4]) if kind_of(packet) == PUBACK else None


def _size(data: bytearray) -> int | None:
    """How long the first packet is (2.2.3); None while that cannot be told."""
    remaining = 0
    for number, byte in enumerate(data[1 : 1 + _MOST_LENGTH_BYTES]):
        remaining |= (byte & 0x7F) << (7 * number)
        if not byte & 0x80:
            return 2 + number + remaining
    return None


def _length_bytes(packet: bytes) -> int:
    return next(number for number in range(1, 1 + _MOST_LENGTH_BYTES) if not packet[number] & 0x80)


def _write_length(length: int) -> bytes:
    written = bytearray()
    while True:
        length, low = length >> 7, length & 0x7F
        written.append(low | 0x80 if length else low)
        if not length:
            return bytes(written)
