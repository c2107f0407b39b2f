"""Cameras that break, refuse, stall and lie, on real RTSP servers: each is found again, and none harms another."""

import datetime as dt
import queue
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import av
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.bench.cameras import CameraServer, CamerasUnavailable, free_port
from edge.bench.reconnect import GIVEN_UP_S, measure_reconnects
from streams.clock import Clock
from streams.decoder import Decoder
from streams.frames import Camera, Transport
from streams.packets import Packet
from streams.player import Player, State
from tests.streams.clocks import QuickClock

rtsp = pytest.mark.system("gst-rtsp-server")

WAIT_S = 30.0


class Watch:
    """A player and all it said; a context manager."""

    def __init__(self, camera: Camera, clock: Clock | None = None) -> None:
        self.packets: queue.Queue[Packet] = queue.Queue()
        self.states: queue.Queue[tuple[str, str]] = queue.Queue()
        self.told: list[tuple[str, str]] = []
        self.player = Player(camera, on_packet=self.packets.put, on_state=self._hear, clock=clock)

    def _hear(self, state: str, reason: str) -> None:
        self.told.append((state, reason))
        self.states.put((state, reason))

    def wait_for(self, state: State) -> str:
        """The reason given with the next such state."""
        while True:
            told, reason = self.states.get(timeout=WAIT_S)
            if told == state:
                return reason

    def packet(self, wanted: Callable[[Packet], bool] = lambda _packet: True) -> Packet:
        while True:
            packet = self.packets.get(timeout=WAIT_S)
            if wanted(packet):
                return packet

    def __enter__(self) -> Self:
        self.player.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.player.stop()
        self.player.join(WAIT_S)


def camera(server: CameraServer, path: str = "main", login: str = "", **options: object) -> Camera:
    return Camera(id=path, url=server.url(path, login), **options)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of H.264 with key frames a second apart."""
    path = tmp_path_factory.mktemp("film") / "camera.mp4"
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "keyint=25:min-keyint=25:scenecut=0"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(250):
            picture = np.full((96, 160, 3), number % 200, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[CameraServer]:
    with CameraServer(*getattr(request, "param", ())) as server:
        yield server


@rtsp
def test_twenty_drops_of_ten_cameras_in_parallel_are_all_survived(film: Path) -> None:
    took_s = measure_reconnects(film, streams=10, drops=20, longest_outage_s=1.0)
    assert len(took_s) == 20
    assert max(took_s) < GIVEN_UP_S


@rtsp
def test_a_camera_whose_port_somebody_else_took_first_listens_at_another_one() -> None:
    server = CameraServer()
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.port))
        other.listen()
        taken = server.port
        with server:
            assert server.port != taken
            with Watch(camera(server)) as watch:
                watch.packet()
        with pytest.raises(CamerasUnavailable, match=f"port {taken} is in use"), CameraServer(port=taken):
            pass


@rtsp
@pytest.mark.parametrize("server", [("viewer", "lo:ng@s3cret", *how) for how in ((), ("--digest",))], indirect=True)
def test_a_wrong_password_is_told_apart_from_no_network_and_neither_is_ever_shown(
    server: CameraServer, capfd: pytest.CaptureFixture[str]
) -> None:
    elsewhere = Camera(id="gone", url=f"rtsp://viewer:s3cret@127.0.0.1:{free_port()}/main")
    with (
        Watch(camera(server, login="viewer:lo%3Ang%40s3cret@")) as right,
        Watch(camera(server, login="viewer:wrong-s3cret@")) as wrong,
        Watch(elsewhere) as gone,
    ):
        right.packet()
        refused, unreachable = wrong.wait_for(State.REFUSED), gone.wait_for(State.UNREACHABLE)
        failures = [wrong.player.failure, gone.player.failure]
    assert "refused the user name or password" in refused
    assert "cannot be reached (connection refused); check cable, address and port" in unreachable
    shown = refused + unreachable + "".join(capfd.readouterr())
    shown += "".join("".join(traceback.format_exception(failure)) for failure in failures)
    assert "s3cret" not in shown


@rtsp
def test_a_camera_that_goes_silent_is_noticed_without_waiting_for_tcp_and_found_again(server: CameraServer) -> None:
    with Watch(camera(server, silence_s=1.0)) as watch:
        before = watch.packet()
        server.tell("stall")
        assert "sent nothing for 1 s" in watch.wait_for(State.UNREACHABLE)
        server.tell("go")
        after = watch.packet(lambda packet: packet.take > before.take)
    assert after.is_key
    assert after.index > before.index
    assert after.stream_s > before.stream_s
    assert watch.player.reconnects >= 1


@rtsp
def test_a_server_that_closes_every_connection_is_connected_again(server: CameraServer) -> None:
    with Watch(camera(server)) as watch:
        before = watch.packet()
        server.tell("drop clients")
        watch.wait_for(State.UNREACHABLE)
        assert watch.packet(lambda packet: packet.take > before.take).stream_s > before.stream_s


@rtsp
@pytest.mark.parametrize("server", [("viewer", "s3cret", "--mounts", "2")], indirect=True, ids=["with passwords"])
def test_bad_cameras_take_no_packet_from_a_good_one(server: CameraServer, tmp_path: Path) -> None:
    page = tmp_path / "page.mp4"
    page.write_text("<!doctype html><title>Sign in</title>")
    login = "viewer:s3cret@"
    with (
        Watch(camera(server, login=login)) as good,
        Watch(camera(server, "cam0", login=login, silence_s=0.5)) as stalled,
        Watch(camera(server, "cam1", login="viewer:wrong@")) as refused,
        Watch(camera(server, "nowhere", login=login)) as missing,
        Watch(Camera(id="gone", url=f"rtsp://127.0.0.1:{free_port()}/main")) as gone,
        Watch(Camera(id="page", url=str(page))) as unreadable,
    ):
        first = good.packet()
        stalled.packet()
        server.tell("stall /cam0")
        bad = [(stalled, State.UNREACHABLE), (refused, State.REFUSED), (missing, State.FAILED)]
        for watch, state in [*bad, (gone, State.UNREACHABLE), (unreadable, State.FAILED)]:
            watch.wait_for(state)
        server.tell("go /cam0")
        last = good.packet(lambda packet: packet.index > first.index + 20)
        assert [state for state, _ in good.told] == [State.CONNECTING, State.PLAYING]
        assert last.take == first.take
        assert last.stream_s - first.stream_s == pytest.approx((last.index - first.index) / 15, abs=0.1)


def test_a_thousand_failed_connections_leave_no_thread_and_no_file_open() -> None:
    class Patience(QuickClock):
        """Stops waiting after a thousand pauses."""

        enough = threading.Event()

        def wait(self, stopped: threading.Event, seconds: float) -> bool:
            if len(self.waited_s) >= 1000:
                self.enough.set()
            return super().wait(stopped, seconds)

    clock = Patience()
    threads, files = threading.active_count(), open_files()
    with Watch(Camera(id="gone", url=f"rtsp://127.0.0.1:{free_port()}/main"), clock):
        assert clock.enough.wait(WAIT_S)
    assert max(clock.waited_s) <= 4.0
    assert len(set(clock.waited_s[-100:])) > 50  # jittered, so that cameras of one switch do not knock together
    assert threading.active_count() == threads
    assert open_files() == files


@rtsp
def test_a_camera_that_changes_its_resolution_goes_on_in_the_new_one(server: CameraServer) -> None:
    decoder = Decoder()
    with Watch(camera(server)) as watch:
        sizes = {(image.content.width, image.content.height) for image in decoder.decode(watch.packet())}
        server.tell("size 480x320")
        while (480, 320) not in sizes:
            packet = watch.packet()
            images = decoder.decode(packet)
            sizes |= {(image.content.width, image.content.height) for image in images}
    assert sizes == {(320, 240), (480, 320)}
    assert (packet.coding.width, packet.coding.height) == (480, 320)
    assert [state for state, _ in watch.told if state == State.UNREACHABLE] == []


@rtsp
@pytest.mark.parametrize("server", [("--codec", "h264"), ("--codec", "h265")], indirect=True, ids=["h264", "h265"])
def test_every_codec_comes_out_as_pictures(server: CameraServer, request: pytest.FixtureRequest) -> None:
    decoder, images = Decoder(), []
    with Watch(camera(server)) as watch:
        while len(images) < 10:
            images += decoder.decode(watch.packet())
    assert {image.packet.coding.codec for image in images} == {{"h264": "h264", "h265": "hevc"}[server.options[1]]}
    assert decoder.damaged == 0


@rtsp
@pytest.mark.parametrize("server", [("--loss", "0.03")], indirect=True, ids=["three in a hundred"])
def test_lost_udp_packets_cost_pictures_and_never_the_camera(server: CameraServer) -> None:
    decoder, images = Decoder(), []
    with Watch(camera(server, transport=Transport.UDP)) as watch:
        while len(images) < 25:
            images += decoder.decode(watch.packet())
        assert State.UNREACHABLE not in [state for state, _ in watch.told]
    assert [image.packet.index for image in images] == sorted({image.packet.index for image in images})


@rtsp
@pytest.mark.system("glib-networking")
def test_an_encrypted_stream_of_a_camera_that_signed_for_itself_is_played(tmp_path: Path) -> None:
    with (
        CameraServer("--tls", *certificate(tmp_path)) as server,
        Watch(Camera(id="main", url=server.url(scheme="rtsps"))) as watch,
    ):
        assert watch.packet().is_key


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def certificate(folder: Path) -> tuple[str, str]:
    """A self-signed certificate and its key, as every camera makes for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(paths[0]), str(paths[1])
