"""`teawatch edge probe`: what a camera sends, what is wrong with it, in plain words."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from edge.bench.cameras import CameraServer
from edge.camera_clock import clock_ahead_s
from edge.cli import app
from edge.probe import Measured, measure
from edge.probe_report import judge
from edge.rhythm import Beat, Rhythm, rhythm
from streams.frames import Camera, Pace, Transport
from streams.packets import Coding
from tests.streams.reels import encode
from tests.streams.servers import text, web_server

ROOT = Path(__file__).parents[2]
LIVE = Camera(id="probe", url="rtsp://10.0.0.8/main")
FULL_HD = Coding("h264", 1920, 1080, Fraction(1, 90_000), rate=Fraction(25))
STEADY = Rhythm(
    packets=300, keys=6, seconds=12.0, rate_per_s=25.0, bits_per_s=2e6, key_distances_s=(2.0,) * 5, pace=1.0
)
FINE = Measured(rhythm=STEADY, coding=FULL_HD, pixels="yuv420p", has_b_frames=False, picture_after_s=0.5)


def beats(
    steps_s: Sequence[float], *, keys: Sequence[int] = (0,), passed_s: Sequence[float] | None = None
) -> list[Beat]:
    """Packets of 1000 bytes whose stamps lie so far apart, and which arrive so, or after `passed_s` each."""
    stamps_s = np.concatenate(([100.0], 100.0 + np.cumsum(steps_s)))
    arrivals_s = np.concatenate(([7.0], 7.0 + np.cumsum(steps_s if passed_s is None else passed_s)))
    return [
        Beat(1000, number in keys, 0, float(arrived_s) - 7.0, float(stamp_s), True, float(arrived_s))
        for number, (stamp_s, arrived_s) in enumerate(zip(stamps_s, arrivals_s, strict=True))
    ]


def test_rates_and_key_frame_distances_are_measured() -> None:
    found = rhythm(beats([0.04] * 250, keys=(0, 50, 100, 220)), is_live=True)
    assert (found.packets, found.keys) == (251, 4)
    assert found.rate_per_s == pytest.approx(25)
    assert found.bits_per_s == pytest.approx(200_000)
    assert found.key_distances_s == pytest.approx((2.0, 2.0, 4.8))
    assert found.keyless_s == pytest.approx(1.2)
    assert found.pace == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("steps_s", "passed_s", "expected"),
    [
        ([0.04] * 100, None, {}),
        ([0.04] * 50 + [0.12] + [0.04] * 50, None, {"gaps": 2}),
        ([0.04, 0.09, 0.05, 0.2] * 25, None, {}),
        ([0.04] * 50 + [-3600.0] + [0.04] * 50, [0.04] * 101, {"backwards": 1}),
        ([0.04] * 50 + [3600.0] + [0.04] * 50, [0.04] * 101, {"jumps": 1}),
        ([5.0] * 10, None, {}),
    ],
    ids=["steady", "two left out", "a rate that changes", "backwards", "a jump", "slow, and true"],
)
def test_time_stamps_that_lie_are_counted_by_how(
    steps_s: Sequence[float], passed_s: Sequence[float] | None, expected: Mapping[str, int]
) -> None:
    found = rhythm(beats(steps_s, passed_s=passed_s), is_live=True)
    counted = {name: getattr(found, name) for name in ("gaps", "backwards", "jumps", "unstamped")}
    assert {name: number for name, number in counted.items() if number} == expected


def test_stamps_of_showing_may_run_back_as_far_as_b_frames_do() -> None:
    shuffled = [dataclasses.replace(each, is_ordered=False) for each in beats([0.12, -0.08, 0.04, 0.04] * 20)]
    assert rhythm(shuffled, is_live=True).backwards == 0


@pytest.mark.parametrize(
    ("steps_s", "pause_s", "said"),
    [
        (
            [0.04] * 70 + [3.04] + [0.04] * 80,
            3.0,
            ["for 3.0 s no picture came; 75 pictures are missing between 152 others"],
        ),
        ([5.0] * 10, 0.0, ["only 0.2 pictures a second: what passes in between is not seen"]),
        ([0.04, 0.9, 0.2, 1.5] * 10, 0.0, None),
    ],
    ids=["a pause", "slow, and regular", "a rate that changes"],
)
def test_a_pause_is_told_once_and_not_as_rare_key_frames_or_as_a_low_rate(
    steps_s: Sequence[float], pause_s: float, said: list[str] | None
) -> None:
    found = rhythm(beats(steps_s, keys=range(0, 200, 25 if pause_s else 1)), is_live=True)
    assert found.longest_pause_s == pytest.approx(pause_s)
    if pause_s:
        assert max(found.key_distances_s) < 1.1
        assert found.rate_per_s == pytest.approx(25)
    if said:
        measured = dataclasses.replace(FINE, rhythm=dataclasses.replace(found, pace=1.0), coding=None)
        assert [each.what for each in judge(LIVE, measured)] == said


def test_times_of_showing_before_the_first_time_of_decoding_are_no_steps_to_it() -> None:
    first = [dataclasses.replace(each, is_ordered=False) for each in beats([0.16, -0.08])]
    found = rhythm(first + beats([0.04, 0.08, *[0.04] * 50]), is_live=True)
    assert (found.backwards, found.jumps, found.gaps) == (0, 0, 0), "who joins late misses some of the first"


def test_packets_without_stamps_are_counted_and_steps_over_a_new_take_are_none() -> None:
    bare = [dataclasses.replace(each, stamp_s=None) for each in beats([0.04] * 9)]
    assert rhythm(bare, is_live=True).unstamped == 10
    first, second = beats([0.04] * 9), beats([0.04] * 9)
    both = first + [dataclasses.replace(each, take=1) for each in second]
    assert (rhythm(both, is_live=False).backwards, rhythm([], is_live=True)) == (0, Rhythm())


def test_a_camera_whose_clock_runs_slow_is_told_by_the_pace_of_its_stamps() -> None:
    found = rhythm(beats([0.04] * 200, passed_s=[0.05] * 200), is_live=True)
    assert found.pace == pytest.approx(0.8)
    assert pace_is_wrong(found)


@pytest.mark.parametrize("jump_s", [-8.0, 3600.0])
def test_stamps_that_jump_have_no_pace(jump_s: float) -> None:
    steps_s = [0.04] * 200
    assert rhythm(beats([*steps_s, jump_s, *steps_s], passed_s=[0.04] * 401), is_live=True).pace is None


@pytest.mark.parametrize(
    ("steps_s", "is_wrong"),
    [([2.0, *[0.001] * 19] * 6, False), ([2.0, *[0.1] * 9] * 6, True)],
    ids=["segments of 2 s, one whole segment early", "a camera that halts for 2 s of 3"],
)
def test_packets_that_come_by_the_segment_are_not_taken_for_a_wrong_pace(
    steps_s: Sequence[float], *, is_wrong: bool
) -> None:
    found = rhythm(beats([0.1] * (len(steps_s) - 1), passed_s=steps_s[:-1]), is_live=True)
    assert found.pace is not None
    assert abs(found.pace - 1) > 0.05
    assert pace_is_wrong(found) == is_wrong


def pace_is_wrong(found: Rhythm) -> bool:
    return any("of real time" in each.what for each in judge(LIVE, dataclasses.replace(FINE, rhythm=found)))


def test_a_stream_without_stamps_is_measured_by_arrival() -> None:
    found = rhythm(beats([0.04] * 50, passed_s=[0.2] * 50), is_live=True, is_unstamped=True)
    assert (found.unstamped, found.gaps, found.pace) == (0, 0, None)
    assert (found.rate_per_s, found.seconds) == pytest.approx((5.0, 10.0))


def test_the_first_packet_may_lack_its_stamp() -> None:
    assert judge(LIVE, with_rhythm(packets=40, unstamped=1)) == []


def with_rhythm(**fields: object) -> Measured:
    return dataclasses.replace(FINE, rhythm=dataclasses.replace(STEADY, **fields))


def with_coding(**fields: object) -> Measured:
    return dataclasses.replace(FINE, coding=dataclasses.replace(FULL_HD, **fields))


WRONG = [
    (with_rhythm(key_distances_s=(2.0, 9.9)), "key frames are up to 9.9 s apart", "set the key-frame interval"),
    (with_rhythm(key_distances_s=(), keyless_s=12.0), "more than 12.0 s apart", "50 frames at 25 a second"),
    (with_rhythm(keys=0, key_distances_s=(), keyless_s=12.0), "no key frame in 12.0 s", "2 s or less"),
    (with_rhythm(rate_per_s=200.0), "200 pictures a second cost this box", "25 a second or fewer"),
    (with_rhythm(rate_per_s=0.5), "only 0.5 pictures a second", "10 to 25"),
    (with_rhythm(backwards=2), "the time stamps run backwards (2 of 300)", "firmware"),
    (with_rhythm(unstamped=300), "the time stamps are missing (300 of 300)", "firmware"),
    (with_rhythm(pace=0.5), "run at 50% of real time", "overloaded"),
    (with_rhythm(gaps=30), "30 pictures are missing", "overloaded"),
    (with_rhythm(packets=1, keys=1, rate_per_s=None, key_distances_s=()), "only one picture came", "10 to 25"),
    (dataclasses.replace(FINE, damaged=30), "30 of 300 pictures are damaged", "check cable"),
    (dataclasses.replace(FINE, lost=7), "7 network packets were lost", "check cable"),
    (dataclasses.replace(FINE, picture_after_s=None), "no picture could be decoded", "H.264"),
    (Measured(rhythm=Rhythm()), "no picture came", "encoder"),
    (Measured(rhythm=Rhythm(), failure="x refused the password; correct it"), "x refused the password", "correct it"),
]
DOUBTFUL = [
    (with_coding(width=3840, height=2160), "3840x2160 is more than a detector looks at", "as main_url"),
    (with_coding(codec="hevc"), "H.265 does not play in every browser", "H.264"),
    (with_coding(codec="mjpeg"), "MJPEG needs ten times", "H.264"),
    (with_coding(rate=Fraction(50)), "states 50 pictures a second and sends 25.0", "in the dark"),
    (dataclasses.replace(FINE, has_b_frames=True), "B-frames make every picture later", "switch them off"),
    (dataclasses.replace(FINE, pixels="yuv444p"), "yuv444p play in few browsers", "4:2:0"),
    (dataclasses.replace(FINE, clock_ahead_s=-28_800.0), "clock is 28800 s behind", "NTP"),
    (dataclasses.replace(FINE, picture_after_s=9.0), "came only after 9.0 s", "shorter key-frame interval"),
    (dataclasses.replace(FINE, undecoded=100), "too slow to decode 100 of 300", "sub stream"),
    (with_rhythm(rate_per_s=100.0), "100 pictures a second", "25 a second or fewer"),
]


@pytest.mark.parametrize(
    ("measured", "what", "advice", "wrong"),
    [(*each, True) for each in WRONG] + [(*each, False) for each in DOUBTFUL],
    ids=[each[1] for each in WRONG + DOUBTFUL],
)
def test_what_is_wrong_is_said_in_plain_words_with_what_to_set(
    measured: Measured, what: str, advice: str, *, wrong: bool
) -> None:
    found = [each for each in judge(LIVE, measured) if what in each.what]
    assert [(each.wrong, advice in each.advice) for each in found] == [(wrong, True)]


def test_rare_pictures_that_are_all_key_frames_are_no_matter_of_the_key_frame_interval() -> None:
    rare = with_rhythm(packets=4, keys=4, rate_per_s=0.3, key_distances_s=(3.3,) * 3)
    assert [each.what for each in judge(LIVE, rare) if each.wrong] == [
        "only 0.3 pictures a second: what passes in between is not seen"
    ]


def test_nothing_is_said_of_a_camera_that_is_as_it_should_be() -> None:
    assert judge(LIVE, FINE) == []


def test_over_udp_the_advice_against_losses_is_tcp() -> None:
    udp = dataclasses.replace(LIVE, transport=Transport.UDP)
    assert [each.advice for each in judge(udp, dataclasses.replace(FINE, lost=7))] == [
        "use TCP, which repeats what is lost"
    ]


def make_film(path: Path, codec: str = "libx264", seconds: int = 4, **options: str) -> Path:
    """A moving bar of 320x240, 25 pictures a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"preset": "ultrafast", **options})
        stream.width, stream.height = 320, 240
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(25 * seconds):
            picture = np.full((240, 320, 3), 90, np.uint8)
            picture[:, (number * 3) % 300 :][:, :20] = 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def probe_file(path: Path) -> Measured:
    return measure(Camera(id="probe", url=str(path), pace=Pace.FAST), 12)


NO_B = {"bf": "0", "sc_threshold": "0"}


def test_a_file_is_measured_as_it_was_made(tmp_path: Path) -> None:
    found = probe_file(make_film(tmp_path / "film.mp4", g="25", **NO_B))
    assert found.coding is not None
    assert (found.coding.codec, found.coding.width, found.coding.height) == ("h264", 320, 240)
    assert (found.rhythm.packets, found.rhythm.keys, found.has_b_frames, found.damaged) == (100, 4, False, 0)
    assert found.rhythm.rate_per_s == pytest.approx(25)
    assert found.rhythm.key_distances_s == pytest.approx((1.0, 1.0, 1.0))
    assert (found.rhythm.gaps, found.failure, found.pixels) == (0, "", "yuv420p")
    assert "Baseline" in found.profile
    assert judge(LIVE, found) == []


def test_only_so_many_seconds_of_a_file_are_played(tmp_path: Path) -> None:
    camera = Camera(id="probe", url=str(make_film(tmp_path / "film.mp4", g="25", **NO_B)), pace=Pace.FAST)
    assert measure(camera, 2).rhythm.seconds == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("name", "codec", "options", "said"),
    [
        ("rare.mp4", "libx264", {"g": "90", **NO_B}, ["key frames are up to 3.6 s apart"]),
        ("b.mp4", "libx264", {"g": "25", "bf": "3", "preset": "medium"}, ["B-frames make every picture later"]),
        ("m.avi", "mjpeg", {}, ["MJPEG needs ten times"]),
        ("v.mkv", "mpeg4", {"g": "25"}, ["MPEG-4 plays in few browsers"]),
    ],
)
def test_what_is_wrong_with_a_real_stream_is_found(
    name: str, codec: str, options: dict[str, str], said: list[str], tmp_path: Path
) -> None:
    findings = judge(LIVE, probe_file(make_film(tmp_path / name, codec, **options)))
    assert [each.what.startswith(start) for each, start in zip(findings, said, strict=True)] == [True]


def test_pictures_that_change_their_size_while_they_are_probed_are_told_with_both_sizes(tmp_path: Path) -> None:
    path = tmp_path / "film.ts"
    path.write_bytes(b"".join(encode(size=size, options={"bf": "0"}) for size in ((192, 144), (320, 240))))
    found = probe(str(path), "--json")
    assert json.loads(found.stdout)["sizes"] == [[192, 144], [320, 240]]
    assert found.exit_code == 1
    assert "✗ the pictures changed their size: 192x144, then 320x240" in probe(str(path)).stdout


def test_damage_in_a_file_is_counted(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mkv", g="25", **NO_B)
    data = bytearray(path.read_bytes())
    spoilt = np.random.default_rng(3).integers(len(data) // 5, len(data), 400)
    for place in spoilt:
        data[place] ^= 0x55
    path.write_bytes(data)
    found = probe_file(path)
    assert found.damaged > 0
    assert any(
        "damaged" in each.what and "copy it again" in each.advice for each in judge(Camera(id="x", url="f.mkv"), found)
    )


@contextmanager
def answering(head: str) -> Iterator[int]:
    """A server that says this to whoever asks first."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            visitor, _ = listener.accept()
            with visitor:
                visitor.recv(4096)
                visitor.sendall(head.encode())

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize("style", ["{:%a, %d %b %Y %H:%M:%S GMT}", "{:%a, %b %d %Y %H:%M:%S GMT}", "rfc"])
def test_a_cameras_clock_is_read_from_the_date_of_its_answers(style: str) -> None:
    theirs = datetime.now(UTC) + timedelta(hours=8)
    said = format_datetime(theirs, usegmt=True) if style == "rfc" else style.format(theirs)
    with answering(f"RTSP/1.0 200 OK\r\nCSeq: 1\r\nDate: {said}\r\nPublic: OPTIONS\r\n\r\n") as port:
        assert clock_ahead_s(f"rtsp://user:hunter2@127.0.0.1:{port}/main") == pytest.approx(8 * 3600, abs=60)


@pytest.mark.parametrize(
    "head", ["RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", "Date", "", "RTSP/1.0 200 OK\r\nDate: soon\r\n\r\n"]
)
def test_a_camera_that_does_not_say_has_an_unknown_clock(head: str) -> None:
    with answering(head) as port:
        assert clock_ahead_s(f"rtsp://127.0.0.1:{port}/main") is None


@pytest.mark.parametrize("url", ["film.mp4", "/dev/video0", "rtsp://[::1/main", "rtsp://127.0.0.1:1/main"])
def test_who_cannot_be_asked_has_an_unknown_clock(url: str) -> None:
    assert clock_ahead_s(url) is None


def probe(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner().invoke(app, ["probe", *map(str, arguments)], env={"COLUMNS": "40", **environment})


def test_the_command_says_that_nothing_is_wrong_and_returns_0(tmp_path: Path) -> None:
    done = probe(make_film(tmp_path / "film.mp4", g="25", **NO_B))
    assert (done.exit_code, done.stderr) == (0, "")
    for part in ("codec         H.264 Constrained Baseline, 320x240, yuv420p", "rate          25.0", "every 1.00 s"):
        assert part in done.stdout
    assert done.stdout.endswith("Nothing is wrong.\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.mp4", "no such file"),
        ("notes.txt", "is not a video"),
        ("ftp://10.0.0.8/a", "addresses cannot be played"),
    ],
)
def test_what_cannot_be_played_is_said_with_the_reason(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a film")
    done = probe(name if "://" in name else tmp_path / name)
    assert (done.exit_code, done.stderr) == (1, "")
    assert said in done.stdout
    assert "→" in done.stdout


def test_a_web_page_is_told_from_a_camera() -> None:
    with web_server({"/": text("text/html", b"<!doctype html><title>Camera</title>")}) as url:
        done = probe(f"{url}/")
    assert done.exit_code == 1
    assert "is a web page, not a video" in done.stdout


def test_a_typed_password_does_not_stay_in_the_list_of_processes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as camera:
        place = f"127.0.0.1:{camera.getsockname()[1]}/main"
        command = [Path(sys.executable).with_name("teawatch"), "edge", "probe", "rtsp://u:s3cret@${PLACE}"]
        environment = {**os.environ, "PLACE": place}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
            visitor, _ = camera.accept()
            shown = Path(f"/proc/{running.pid}/cmdline").read_bytes()
            visitor.close()
            camera.close()
            said = running.communicate(timeout=60)[0]
    assert b"${TEAWATCH_EDGE_PROBED}" in shown
    assert b"s3cret" not in shown
    assert said.startswith(f"rtsp://{place}\n")


def test_an_address_that_names_a_missing_variable_is_one_line() -> None:
    done = probe("rtsp://${NO_SUCH_LOGIN}@127.0.0.1/main")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "names the environment variable NO_SUCH_LOGIN, which is not set" in done.stderr


def test_a_pipeline_is_refused_with_where_to_try_it_and_without_its_password() -> None:
    done = probe("rtspsrc location=rtsp://admin:hunter2@127.0.0.1/main ! rtph264depay")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "teawatch edge check" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("password", ["hunter/2", "h@nter#2", "hunter?2@"])
def test_a_password_that_splits_the_address_is_named_as_what_may_be_wrong_and_not_shown(password: str) -> None:
    done = probe(f"rtsp://viewer:{password}@127.0.0.1:1/main")
    assert "if the password has / ? # in it, write them as %2F %3F %23" in done.stdout
    assert password not in done.output


def test_an_address_that_is_in_order_brings_no_advice_about_passwords() -> None:
    assert "password" not in probe("rtsp://viewer:h%2Fnter2@127.0.0.1:1/main").output


def test_an_unknown_transport_is_one_line() -> None:
    done = probe("rtsp://127.0.0.1/main", "--transport", "pigeon")
    assert (done.exit_code, done.stderr) == (1, "teawatch edge: unknown transport 'pigeon'; tcp or udp\n")


@pytest.mark.system("gst-rtsp-server")
def test_a_camera_is_measured_over_rtsp_and_its_password_never_shown() -> None:
    with CameraServer("viewer", "hunter2", "--gop", "15") as camera:
        url = camera.url(login="${LOGIN}@")
        right = probe(url, "--seconds", "3", "--json", LOGIN="viewer:hunter2")
        wrong = probe(url, "--seconds", "3", LOGIN="viewer:hunter3")
    found = json.loads(right.stdout)
    assert (right.exit_code, found["fine"], found["codec"], found["width"]) == (0, True, "h264", 320)
    assert found["rate_per_s"] == pytest.approx(15, rel=0.2)
    assert found["longest_key_distance_s"] == pytest.approx(1, rel=0.2)
    assert found["picture_after_s"] > 0
    assert abs(found["clock_ahead_s"]) < 60
    assert wrong.exit_code == 1
    assert "refused the user name or password" in wrong.stdout
    shown = right.stdout + right.stderr + wrong.stdout + wrong.stderr
    assert "hunter" not in shown
    assert "viewer" not in shown


@pytest.mark.system("gst-rtsp-server")
def test_packets_that_udp_loses_are_counted() -> None:
    with CameraServer("--loss", "0.1", "--rate", "30", "--gop", "10") as camera:
        found = measure(Camera(id="probe", url=camera.url(), transport=Transport.UDP), 4)
    assert found.lost > 0
    assert any(each.wrong and "network packets were lost" in each.what for each in judge(LIVE, found))
