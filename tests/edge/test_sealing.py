"""What is sealed with a picture: its packet, the decoder, and what the box knew of its clock."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.clocks import boot_id, clock_state
from alerts.messages import Evidence, Packets
from edge.credentials import Signed
from edge.reporting import packets_of_frame
from streams.decoder import Decoder
from streams.frames import Frame
from tests.edge.parts import NOON, Bench, make_detections, make_frame, make_identity, post
from tests.streams.reels import encode, read

CAR = ("car", (300.0, 200.0, 400.0, 300.0))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    running = Bench(tmp_path, make_identity(), [post("stationary", dwell_s=5)]).start()
    yield running
    running.stop()


def test_a_decoded_picture_names_its_packet_and_its_decoder() -> None:
    film = read(encode(frames=30, size=(64, 48)))
    decoder = Decoder()
    images = [image for packet in film for image in decoder.decode(packet)]
    packets = packets_of_frame(images[7].frame())
    assert packets is not None
    source = images[7].packet
    assert (packets.first, packets.last, packets.take) == (source.index, source.index, source.take)
    assert packets.first_at == source.utc
    assert packets.codec == "h264"
    assert packets.decoder.startswith("libavcodec ")
    assert packets.decoder.endswith(" h264")
    assert packets_of_frame(make_frame(1.0)) is None


def test_the_alert_with_the_picture_and_the_copy_after_it_say_what_is_known_of_the_clock(bench: Bench) -> None:
    for tenth in range(0, 80, 5):
        frame = replace(make_frame(tenth / 10), codec="h264", decoder="libavcodec 1.2.3 h264", take=3)
        bench.look(frame, make_detections(CAR))
    bench.annotate(0.0)
    (opened,) = [alert for alert in bench.alerts() if alert.phase.value == "opened"]
    (artefact,) = opened.evidence
    assert (artefact.packets.take, artefact.packets.decoder) == (3, "libavcodec 1.2.3 h264")
    assert artefact.packets.first_at == opened.observed_at
    assert opened.clock_state.utc == opened.observed_at
    assert opened.clock_state.monotonic_ms == round(1000 * 1000 + opened.stream_ms)
    assert opened.clock_state.boot == boot_id()
    copies = [record.data for record in bench.records() if isinstance(record.data, Evidence)]
    assert [copy.artefacts[0].derived_from for copy in copies] == [artefact.sha256]
    assert all(copy.clock_state is not None for copy in copies)


class Pen:
    """Credentials that do as they are told."""

    def __init__(self, signed: Signed) -> None:
        self.signed = signed

    def embed(self, jpeg: bytes, frame: Frame, packets: Packets | None) -> Signed:
        return replace(self.signed, data=jpeg + self.signed.data)


@pytest.mark.parametrize(
    ("signed", "credentials", "troubles"),
    [
        (Signed(b"credentials", "c2pa"), "c2pa", []),
        (Signed(b"", "failed", "no entropy"), "failed", [{"what": "content credentials", "reason": "no entropy"}]),
    ],
)
def test_credentials_are_in_the_picture_before_it_is_hashed_and_where_they_fail_the_alert_says_so(
    bench: Bench, signed: Signed, credentials: str, troubles: list[dict[str, str]]
) -> None:
    bench.recorder._credentials = Pen(signed)
    for tenth in range(0, 80, 5):
        bench.look(make_frame(tenth / 10), make_detections(CAR))
    (opened,) = [alert for alert in bench.alerts() if alert.phase.value == "opened"]
    assert opened.evidence[0].credentials == credentials
    assert bench.blobs.read(opened.evidence[0].sha256).endswith(signed.data)
    assert bench.heard("trouble") == troubles


def test_nobody_keeps_a_clock_that_was_never_set() -> None:
    state = clock_state(NOON.replace(year=1970), 12.345)
    assert (state.source in {"nobody", "unknown"}, state.monotonic_ms) == (True, 12_345)
    assert (state.offset_us is None) == (state.max_error_us is None)


def test_a_machine_without_a_name_for_its_boot_says_so(tmp_path: Path) -> None:
    assert boot_id(tmp_path / "nothing") == "unknown"
