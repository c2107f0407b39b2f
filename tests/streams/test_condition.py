"""What is wrong with a camera's stream is said while it plays, and unsaid when it is over."""

from dataclasses import replace

from streams.condition import Condition
from streams.packets import Packet
from tests.streams.reels import make_packet


def reasons(packets: list[Packet], damaged: list[int] | None = None) -> list[str]:
    condition = Condition()
    condition.begin_take(0.0)
    told = []
    for number, packet in enumerate(packets):
        condition.packet(packet, damaged[number] if damaged else 0)
        told.append(condition.reason)
    return told


def seconds(count: int, rate: int = 25, key_every_s: float = 2.0) -> list[Packet]:
    return [
        make_packet(n, at_s=n / rate, is_key=bool(key_every_s) and n % round(rate * key_every_s) == 0)
        for n in range(count * rate)
    ]


def test_a_sound_stream_is_not_complained_of() -> None:
    assert set(reasons(seconds(100))) == {""}


def test_a_stream_without_key_frames_for_a_minute_is_said_until_one_comes() -> None:
    packets = [replace(packet, is_key=packet.index in {0, 1700}) for packet in seconds(80)]
    told = reasons(packets)
    assert told[59 * 25] == ""
    assert "no key frame for 60 s" in told[61 * 25]
    assert told[1700] == ""


def test_a_stream_that_never_had_a_key_frame_is_said_too() -> None:
    assert "no key frame for 60 s" in reasons(seconds(62, key_every_s=0))[-1]


def test_two_hundred_pictures_a_second_are_named() -> None:
    told = reasons(seconds(12, rate=200))
    assert "it sends 200 pictures a second" in told[-1]
    assert told[0] == ""


def test_a_notable_share_of_damage_is_said_and_unsaid_a_while_after_it_ends() -> None:
    packets = seconds(30)
    damaged = [min(packet.index, 200) // 10 for packet in packets]
    told = reasons(packets, damaged)
    assert "10% of its packets are damaged" in told[6 * 25]
    assert told[-1] == ""


def test_a_single_damaged_packet_is_no_reason_to_worry() -> None:
    packets = seconds(30)
    assert set(reasons(packets, [int(packet.index > 100) for packet in packets])) == {""}
