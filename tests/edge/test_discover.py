"""`teawatch edge discover`: who is on the network, and how each camera goes into the configuration."""

import json
import re
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
import yaml
from typer.testing import CliRunner, Result

from edge.cli import app
from edge.config import read_config
from edge.discover import GROUP, Found, Login, Stream, ask_camera, find_cameras, local_addresses
from edge.discovery_text import as_list, as_yaml, choose, configurable
from edge.errors import NothingFound
from streams.addresses import redacted
from tests.edge.onvif_device import PASSWORD, USER, Device, Profile

ROOT = Path(__file__).parents[2]
LOOPBACK = ["127.0.0.1"]
LOGIN = Login(USER, PASSWORD)
LISTEN_S = 0.15


def profiles(host: str = "127.0.0.1") -> list[Profile]:
    query = "channel=1&subtype={}&unicast=true"
    return [
        Profile("main", 3840, 2160, f"rtsp://{host}:554/cam/realmonitor?{query.format(0)}", codec="H265"),
        Profile("sub", 704, 576, f"rtsp://{host}:554/cam/realmonitor?{query.format(1)}", key_every=100),
        Profile("tiny", 352, 288, f"rtsp://{host}:554/cam/realmonitor?{query.format(2)}", rate_per_s=10),
    ]


@pytest.fixture
def camera() -> Iterator[Device]:
    with Device(profiles=profiles()) as device:
        yield device


def only(device: Device) -> Found:
    (found,) = find_cameras(LOOPBACK, LISTEN_S, group=device.call_group)
    return found


def test_a_call_to_the_group_finds_a_camera_once_and_what_it_says_of_itself(camera: Device) -> None:
    found = only(camera)
    assert (found.address, found.name, found.hardware) == ("127.0.0.1", "Gate North", "TeaCam-4")
    assert as_list([found]).split("  ")[:3] == ["127.0.0.1", "Gate North", "TeaCam-4"]
    assert camera.asked == []


@pytest.mark.parametrize("types", ["dn:NetworkVideoTransmitter", "tds:Device"])
def test_a_camera_that_is_only_one_of_the_two_types_is_found(types: str) -> None:
    with Device(types=types) as device:
        assert only(device).name == "Gate North"


def test_an_asked_camera_tells_its_streams_clock_and_make(camera: Device) -> None:
    camera.clock_ahead_s = 7200
    asked = ask_camera(only(camera), LOGIN)
    assert (asked.problem, asked.maker, asked.model, asked.firmware) == ("", "Leaf&Lens", "TeaCam-4", "5.7.3")
    assert asked.clock_ahead_s == pytest.approx(7200, abs=30)
    main = asked.streams[0]
    assert (main.codec, main.width, main.height, main.rate_per_s, main.key_every) == ("H265", 3840, 2160, 25, 50)
    assert not any(PASSWORD in envelope for envelope in camera.envelopes)


def test_what_is_printed_is_a_configuration_with_main_and_sub_stream(
    camera: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = as_yaml([ask_camera(only(camera), LOGIN)])
    path = tmp_path / "box.yaml"
    path.write_text(text)
    monkeypatch.setenv("CAMERA_LOGIN", "viewer:secret")
    (section,) = read_config(path).config.cameras
    assert section.id == "gate-north"
    assert section.url == "rtsp://${CAMERA_LOGIN}@127.0.0.1:554/cam/realmonitor?channel=1&subtype=1&unicast=true"
    assert section.main_url is not None
    assert "subtype=0" in section.main_url
    (source,) = read_config(path).sources()
    assert "viewer:secret@" in source.url
    for said in ("Leaf&Lens TeaCam-4", "3840x2160 H265 25 fps", "a key frame only every 4 s", "subtype=2"):
        assert said in text


def test_a_recorder_with_two_lenses_becomes_two_cameras() -> None:
    lenses = [
        Profile(f"{use}-{lens}", width, width // 2, f"rtsp://127.0.0.1/{lens}/{use}", source=f"lens-{lens}")
        for lens in (1, 2)
        for use, width in (("main", 1920), ("sub", 640))
    ]
    with Device(profiles=lenses) as device:
        text = as_yaml([ask_camera(only(device), LOGIN)])
    cameras = yaml.safe_load(text)["cameras"]
    assert [(each["id"], each["url"][-6:], each["main_url"][-7:]) for each in cameras] == [
        ("gate-north-1", "/1/sub", "/1/main"),
        ("gate-north-2", "/2/sub", "/2/main"),
    ]


def test_a_wrong_password_is_said_of_that_camera_and_the_others_are_listed(camera: Device) -> None:
    found = only(camera)
    text = as_yaml([ask_camera(found, Login(USER, "hunter2")), ask_camera(found, LOGIN)])
    assert "# refuses this user or password" in text
    assert len(yaml.safe_load(text)["cameras"]) == 1
    assert "hunter2" not in text


class Trap:
    """Another machine (127.0.0.2) that nobody may talk to."""

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.2", 0))
        self.port = self._listener.getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def has_visitors(self) -> bool:
        """Whether somebody connected: the kernel keeps whoever came until they are let in."""
        ready, _, _ = select.select([self._listener], [], [], 0)
        return bool(ready)


def test_nobody_is_asked_but_who_answered_whatever_an_answer_or_a_proxy_setting_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Trap() as trap, Device(said_host="127.0.0.2", profiles=profiles("127.0.0.2")) as device:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.2:{trap.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.2:{trap.port}")
        found = only(device)
        asked = ask_camera(found, LOGIN)
        assert found.service.startswith("http://127.0.0.1:")
        assert "GetProfiles" in device.asked
        assert all(stream.url.startswith("rtsp://127.0.0.1:554/") for stream in asked.streams)
        assert not trap.has_visitors()


def test_printers_and_rubbish_are_no_cameras() -> None:
    with Device(types="dn:NetworkVideoTransmitter") as device:
        device.match = lambda: "<not xml"  # type: ignore[method-assign]
        assert find_cameras(LOOPBACK, LISTEN_S, group=device.call_group) == []
    with Device(types="dn:NetworkVideoTransmitter") as device:
        printer = device.match().replace("NetworkVideoTransmitter", "Printer").replace("onvif://www.onvif.org", "x:")
        device.match = lambda: printer  # type: ignore[method-assign]
        assert find_cameras(LOOPBACK, LISTEN_S, group=device.call_group) == []


def test_a_camera_that_answers_nonsense_to_questions_is_said_to() -> None:
    with Device() as device:
        found = only(device)
        device.answer = lambda _: (500, b"<html>oops</html>")  # type: ignore[method-assign]
        asked = ask_camera(found, LOGIN)
    assert "does not answer as it should" in asked.problem
    assert "# does not answer as it should" in as_yaml([asked])


def test_a_camera_cannot_write_a_line_into_the_configuration_or_steer_the_terminal() -> None:
    evil = "x\n  - id: evil\n\x1b[2J"
    found = Found(address="10.0.0.8", service="http://10.0.0.8/onvif", name=evil, hardware=evil, location=evil)
    stream = Stream(profile=evil, url="rtsp://10.0.0.8/a", codec=evil)
    with Device() as device:
        told = ask_camera(only(device), LOGIN)
    text = as_yaml([type(told)(found=found, streams=(stream,), maker=evil)]) + as_list([found])
    assert "\x1b" not in text
    assert not re.search(r"^\s*- id: evil", text, re.MULTILINE)
    assert [each["id"] for each in yaml.safe_load(text.partition("10.0.0.8  ")[0])["cameras"]] == [
        "x-id-evil-2J".lower()
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://10.0.0.8:554/main", "rtsp://${CAMERA_LOGIN}@10.0.0.8:554/main"),
        ("rtsp://admin:hunter2@10.0.0.8/main?a=1", "rtsp://${CAMERA_LOGIN}@10.0.0.8/main?a=1"),
        (
            "rtsp://10.0.0.8/user=a_password=hunter2_c=1.sdp",
            "rtsp://${CAMERA_LOGIN}@10.0.0.8/user=a_password=${CAMERA_PASSWORD}_c=1.sdp",
        ),
        ("rtsp://10.0.0.8/main?pwd=hunter2&c=1", "rtsp://${CAMERA_LOGIN}@10.0.0.8/main?pwd=${CAMERA_PASSWORD}&c=1"),
        ("rtsp://[fe80::1]:554/main", "rtsp://${CAMERA_LOGIN}@[fe80::1]:554/main"),
        ("rtsp://10.0.0.8/${HOME}", None),
        ("rtsp://10.0.0.8/a b\n", None),
        ("http://10.0.0.8/main", None),
        ("rtsp://10.0.0.8:99999/main", None),
        ("", None),
    ],
)
def test_an_address_is_printed_with_variables_for_its_secrets_or_not_at_all(url: str, expected: str | None) -> None:
    printed = configurable(Stream(profile="p", url=url))
    assert printed == expected
    assert "hunter2" not in (printed or "") + (redacted(printed) if printed else "")


@pytest.mark.parametrize(
    ("widths", "detect", "evidence"),
    [([1920], 1920, None), ([3840, 704, 352], 704, 3840), ([1920, 352], 352, 1920), ([2560, 1280, 640], 640, 2560)],
)
def test_detection_gets_the_smallest_stream_that_is_wide_enough(
    widths: list[int], detect: int, evidence: int | None
) -> None:
    chosen, main = choose([Stream(profile="p", url="", width=width, height=width) for width in widths])
    assert (chosen.width, main.width if main else None) == (detect, evidence)


def test_who_cannot_call_is_told_why() -> None:
    with pytest.raises(NothingFound, match=r"cannot call from 192\.0\.2\.99 \(cannot assign requested address\)"):
        find_cameras(["192.0.2.99"], LISTEN_S)
    with pytest.raises(NothingFound, match="no network but itself"):
        find_cameras([], LISTEN_S)
    assert all(socket.inet_aton(address) and not address.startswith("127.") for address in local_addresses())


def discover(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(
        app, ["discover", "--interface", "127.0.0.1", "--seconds", "0.5", *arguments], env=environment
    )


def test_the_command_lists_asks_and_prints_no_password_and_says_where_nobody_is() -> None:
    nobody = discover()
    with Device(name="command-test", profiles=profiles(), port=GROUP[1]):
        listed = discover()
        asked = discover("--user", USER, "--json", CAMERA_PASSWORD=PASSWORD)
    assert (nobody.exit_code, nobody.stdout, nobody.stderr.count("\n")) == (1, "", 1)
    assert "no ONVIF camera answered" in nobody.stderr
    assert (listed.exit_code, asked.exit_code) == (0, 0)
    assert "127.0.0.1  command-test  TeaCam-4" in listed.stdout
    assert "--user" in listed.stderr
    (camera,) = json.loads(asked.stdout)
    assert {each["use"]: each["width"] for each in camera["streams"]} == {"main": 3840, "sub": 704, "other": 352}
    assert PASSWORD not in listed.stdout + asked.stdout + asked.stderr
