import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from alerts.catalogue import KINDS
from edge.config import CameraSection, Config, DetectorSection, RuleSection, UsbSection, ZoneSection, read_config
from edge.config_hours import ScheduleSection, SpanSection
from edge.errors import ConfigError
from edge.rules import RULES
from edge.rules.base import Parameters
from edge.rules.stationary import Stationary
from edge.schedule import Day
from edge.settings import Settings
from streams.frames import Encoding, Wish

EDGE = Path(__file__).parents[2] / "edge"
SAMPLE = EDGE / "sample.yaml"
GOOD = """
detector: {model: yolov3_tiny}
cameras:
  - id: cam-1
    url: rtsp://admin:hunter2@10.0.0.7/main
    zones: [{id: kerb, polygon: [[0, 0], [1, 0], [1, 1]]}]
    rules: [{id: parking, rule: stationary, zone: kerb, parameters: {dwell_s: 20}}]
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str) -> Path:
        path = tmp_path / "box.yaml"
        path.write_text(text)
        return path

    return write


def test_a_rule_that_looks_at_no_classes_needs_no_parameter_for_them(
    write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bare(Stationary):
        parameters_type = Parameters

    monkeypatch.setattr("edge.config.RULES", {**RULES, "bare": Bare})
    loaded = read_config(write(change("stationary", "bare").replace("dwell_s: 20", "unseen_s: 2")))
    assert loaded.config.cameras[0].rules[0].rule == "bare"


def change(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


BAD = {
    "unknown key": (change("zones:", "zoness:"), "cameras[cam-1]: unknown key 'zoness'; did you mean 'zones'?"),
    "unknown key at the top": (change("detector:", "detectors:"), "did you mean 'detector'?"),
    "unknown rule": (
        change("stationary", "stationery"),
        "unknown rule 'stationery'; did you mean 'stationary'? There is: stationary, intrusion, presence",
    ),
    "unknown zone": (
        change("zone: kerb", "zone: curb"),
        "cameras[cam-1]: rule parking: unknown zone 'curb'; did you mean 'kerb'? There is: kerb",
    ),
    "unknown kind": (
        change("zone: kerb,", "zone: kerb, kind: street.illegal_parkin,"),
        "did you mean 'street.illegal_parking'?",
    ),
    "kind of another rule": (change("zone: kerb,", "zone: kerb, kind: garden.intrusion,"), "unknown kind for rule"),
    "unknown class": (
        change("dwell_s: 20", "dwell_s: 20, classes: [car, lorry]"),
        "cameras[cam-1].rules[parking].parameters.classes: unknown class of model yolov3_tiny 'lorry'",
    ),
    "misspelt class": (change("dwell_s: 20", "dwell_s: 20, classes: [truk]"), "did you mean 'truck'?"),
    "unknown model": (change("yolov3_tiny", "yolov3_tinny"), "did you mean yolov3_tiny?"),
    "unknown parameter": (
        change("dwell_s: 20", "dwel_s: 20, dwell_s: 20"),
        "cameras[cam-1].rules[parking]: parameters.dwel_s: unknown key 'dwel_s'; did you mean 'dwell_s'?",
    ),
    "missing parameter": (change("dwell_s: 20", ""), "parameters.dwell_s: is missing"),
    "parameter out of range": (change("dwell_s: 20", "dwell_s: -1"), "parameters.dwell_s: input should be greater"),
    "parameter that is not a number": (change("dwell_s: 20", "dwell_s: .nan"), "dwell_s: input should be a finite"),
    "zone with two points": (
        change("[[0, 0], [1, 0], [1, 1]]", "[[0, 0], [1, 0]]"),
        "cameras[cam-1].zones[kerb]: a zone needs at least 3 different corners, this one has 2",
    ),
    "zone outside the picture": (change("[1, 1]", "[1, 1.5]"), "corner [1.0, 1.5] is outside the picture"),
    "zone in pixels": (change("[1, 1]", "[640, 480]"), "shares of its width and height, 0 to 1"),
    "zone that crosses itself": (
        change("[[0, 0], [1, 0], [1, 1]]", "[[0, 0], [1, 1], [1, 0], [0, 1]]"),
        "the outline crosses itself",
    ),
    "missing url": (
        change("    url: rtsp://admin:hunter2@10.0.0.7/main\n", ""),
        "cameras[cam-1]: a camera has a url or a pipeline",
    ),
    "empty url": (change("rtsp://admin:hunter2@10.0.0.7/main", "''"), "give a file or an rtsp:// address"),
    "variable that is not set": (change("admin:hunter2", "${NO_SUCH_LOGIN}"), "NO_SUCH_LOGIN, which is not set"),
    "what to do about it": (
        change("admin:hunter2", "${NO_SUCH_LOGIN}"),
        "NO_SUCH_LOGIN=… into /etc/teawatch/secrets.env",
    ),
    "bad pace": (change("zones:", "pace: quick\n    zones:"), "cameras[cam-1].pace: must be 'realtime', 'fast' or"),
    "bad id": (change("id: cam-1", "id: cam 1"), "cameras[cam 1].id: begins with a letter or digit"),
    "no cameras": ("cameras: []", "cameras: needs at least 1"),
    "nothing at all": ("", "the file is empty; edge/sample.yaml shows what it may say"),
    "a list": ("- a", "expected keys and values (detector, uploads, cameras), found a list"),
    "a camera without keys": ("cameras: [cam-1]", "cameras[0]: expected keys and values (id, url, main_url, pipeline,"),
    "no yaml": ("cameras: [", "line 1, column 11"),
    "a key twice": (change("detector: {model: yolov3_tiny}", "detector: {model: a, model: b}"), "'model' stands twice"),
    "too deep": ("cameras: " + "[" * 5000, "nested too deeply"),
    "a date that is none": (change("id: cam-1", "id: 2020-13-45"), "line 4, column 9: looks like a date and is none"),
    "a number without end": (change("dwell_s: 20", "dwell_s: " + "9" * 5000), "is not a number that can be used"),
    "merged keys": (change("zones:", "<<: {pace: loop}\n    zones:"), "merge keys (<<) are not supported"),
    "a rate that never comes": (
        change("zones:", "detections_per_s: 1.0e-300\n    zones:"),
        "detections_per_s: input should be greater than or equal to 0.01",
    ),
    "a rate of zero": (change("zones:", "detections_per_s: 0\n    zones:"), "detections_per_s: input should be"),
    "a schedule with a typo": (change("zone: kerb,", "zone: kerb, schedule: allways,"), "is no schedule"),
    "an unknown time zone": (
        change("zone: kerb,", "zone: kerb, schedule: {time_zone: Asia/Hangzhou, spans: [{from: '1:00', to: '2:00'}]},"),
        "no time zone called 'Asia/Hangzhou'",
    ),
    "an unknown day": (
        change(
            "zone: kerb,",
            "zone: kerb, schedule: {time_zone: UTC, spans: [{days: [mond], from: '1:00', to: '2:00'}]},",
        ),
        "unknown day 'mond'; did you mean 'mon'",
    ),
    "a time of day that is none": (
        change("zone: kerb,", "zone: kerb, schedule: {time_zone: UTC, spans: [{from: '7.30', to: '2:00'}]},"),
        "'7.30' is no time of day",
    ),
    "a span without length": (
        change("zone: kerb,", "zone: kerb, schedule: {time_zone: UTC, spans: [{from: '7:30', to: '7:30'}]},"),
        "from and to are the same",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_in_one_line_with_place_and_nearest_name(name: str, write: Any) -> None:
    text, expected = BAD[name]
    with pytest.raises(ConfigError) as caught:
        read_config(write(text))
    (line,) = caught.value.problems
    assert expected in line
    assert "\n" not in line
    assert "hunter2" not in line


@pytest.mark.parametrize("twin", ["cameras", "zones", "rules"])
def test_two_of_one_name_are_refused(twin: str, write: Any) -> None:
    data = yaml.safe_load(GOOD)
    holder = data if twin == "cameras" else data["cameras"][0]
    holder[twin] = holder[twin] * 2
    with pytest.raises(ConfigError, match=f"2 {twin} are called"):
        read_config(write(yaml.safe_dump(data)))


def test_every_problem_gets_a_line_of_its_own(write: Any) -> None:
    data = yaml.safe_load(GOOD)
    del data["cameras"][0]["id"]
    data["cameras"][0]["zones"][0]["polygon"] = [[0, 0]]
    with pytest.raises(ConfigError) as caught:
        read_config(write(yaml.safe_dump(data)))
    assert len(caught.value.problems) == 2


MESS = """
detector: {model: yolov3_tinny, scor: 0.3}
uploads: {limit_kbit_s: -1}
cameras:
  - id: cam-1
    url: rtsp://admin:hunter2@10.0.0.7/main
    pace: quick
    usb: {size: large}
    rulez: []
    zones: [{id: kerb, polygon: [[0, 0], [1, 0]]}, {id: kerb, polygon: [[0, 0], [1, 0], [1, 1]]}]
  - id: cam-1
    zones: [{id: yard, polygon: [[0, 0], [1, 0], [1, 1]]}]
    rules:
      - {id: a, rule: stationary, zone: yart, kind: x.y, parameters: {dwell_s: -1, seen_share: 7}}
      - {id: b, rule: presense, zone: yard, schedule: allways}
"""


def test_all_mistakes_of_a_file_are_told_at_once_each_with_its_place(write: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(write(MESS))
    told = [line.partition("box.yaml: ")[2] for line in caught.value.problems]
    places = [
        "2 cameras are called 'cam-1'",
        "detector: unknown key 'scor'; did you mean 'score'?",
        "uploads.limit_kbit_s: input should be",
        "cameras[cam-1]: unknown key 'rulez'; did you mean 'rules'?",
        "cameras[cam-1]: 2 zones are called 'kerb'",
        "cameras[cam-1]: usb is for cameras whose url is a video device",
        "cameras[cam-1].usb.size: 'large' is no size; write width and height like 1280x720",
        "cameras[cam-1].pace: must be",
        "cameras[cam-1].zones[kerb]: a zone needs at least 3",
        "cameras[cam-1]: a camera has a url or a pipeline",
        "cameras[cam-1]: rule a: unknown zone 'yart'; did you mean 'yard'?",
        "cameras[cam-1].rules[a]: unknown kind for rule 'stationary' 'x.y'",
        "cameras[cam-1].rules[a]: parameters.dwell_s: input should be greater",
        "cameras[cam-1].rules[a]: parameters.seen_share: input should be less",
        "cameras[cam-1].rules[b]: unknown rule 'presense'; did you mean 'presence'?",
        "cameras[cam-1].rules[b].schedule: 'allways' is no schedule",
        "detector.model: ",
    ]
    assert [[line for line in told if line.startswith(place)] != [] for place in places] == [True] * len(places), told
    assert len(told) == len(places)
    assert "hunter2" not in str(caught.value)


def test_classes_that_the_model_does_not_know_are_told_beside_other_mistakes(write: Any) -> None:
    text = GOOD.replace("dwell_s: 20", "dwell_s: -1, classes: [car, lorry]")
    with pytest.raises(ConfigError) as caught:
        read_config(write(text))
    assert [("dwell_s" in line, "'lorry'" in line) for line in caught.value.problems] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    "junk", ["3", "null", "[null]", "[[1]]", "{a: 1}", "[{zones: 3, rules: {}}]", "[{rules: [{rule: []}]}]"]
)
def test_nothing_that_stands_in_the_place_of_cameras_makes_it_stumble(junk: str, write: Any) -> None:
    with pytest.raises(ConfigError):
        read_config(write(f"cameras: {junk}"))


def test_what_is_asked_of_a_usb_camera_reaches_it_and_of_no_other(write: Any, tmp_path: Path) -> None:
    keys = "url: /dev/v4l/by-id/usb-X-index0\n    usb: {encoding: mjpeg, size: 1280x720, rate_per_s: 12.5}"
    (camera,) = read_config(write(GOOD.replace("url: rtsp://admin:hunter2@10.0.0.7/main", keys))).sources()
    assert camera.wish == Wish(encoding=Encoding.MJPEG, size_px=(1280, 720), rate_per_s=12.5)
    with pytest.raises(ConfigError, match="usb is for cameras whose url is a video device"):
        read_config(write(GOOD.replace("zones:", "usb: {size: 640x480}\n    zones:")))


def test_a_missing_file_is_said_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read \(no such file"):
        read_config(tmp_path / "nowhere.yaml")


def test_the_hash_is_of_the_exact_bytes(write: Any) -> None:
    first = read_config(write(GOOD)).sha256
    assert read_config(write(GOOD + "# a remark\n")).sha256 != first
    assert re.fullmatch("[0-9a-f]{64}", first)


def test_an_address_never_shows_in_a_representation(write: Any) -> None:
    assert "hunter2" not in repr(read_config(write(GOOD)))


def test_a_password_may_come_from_the_environment(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_LOGIN", "admin:pa$$word")
    (camera,) = read_config(write(change("admin:hunter2", "${CAMERA_LOGIN}"))).sources()
    assert camera.url == "rtsp://admin:pa$$word@10.0.0.7/main"


def test_a_relative_path_starts_at_the_configuration(write: Any, tmp_path: Path) -> None:
    (camera,) = read_config(write(change("rtsp://admin:hunter2@10.0.0.7/main", "clip.avi"))).sources()
    assert camera.url == str(tmp_path / "clip.avi")


def test_hours_may_be_written_with_or_without_quotes_and_days_in_groups(write: Any) -> None:
    schedule = "schedule: {time_zone: Asia/Shanghai, spans: [{days: weekend, from: 19:00, to: '06:30'}]},"
    (camera,) = read_config(write(change("zone: kerb,", f"zone: kerb, {schedule}"))).config.cameras
    assert camera.rules[0].schedule is not None
    (span,) = camera.rules[0].schedule.build().spans
    assert (span.days, span.start_min, span.end_min) == (frozenset({Day.SAT, Day.SUN}), 19 * 60, 6 * 60 + 30)


SECTIONS: list[type[BaseModel]] = [
    Config,
    DetectorSection,
    CameraSection,
    UsbSection,
    ZoneSection,
    RuleSection,
    ScheduleSection,
    SpanSection,
    *(rule.parameters_type for rule in RULES.values()),
]


def test_the_sample_explains_every_key_there_is() -> None:
    """Each field appears as a key, and each rule with all of its parameters."""
    text = SAMPLE.read_text()
    for section in SECTIONS[:8]:
        for name, info in section.model_fields.items():
            assert re.search(rf"^\s*(- )?{info.alias or name}:", text, re.MULTILINE), f"{section.__name__}.{name}"
    shown = {}
    for camera in yaml.safe_load(text)["cameras"]:
        for rule in camera["rules"]:
            shown[rule["rule"]] = set(rule["parameters"])
    assert shown == {name: set(rule.parameters_type.model_fields) for name, rule in RULES.items()}


def test_the_sample_names_every_setting_of_the_process() -> None:
    text = SAMPLE.read_text()
    for name in Settings.model_fields:
        assert f"TEAWATCH_EDGE_{name.upper()}" in text


@pytest.mark.parametrize("name", ["sample.yaml", "demo-box.yaml"])
def test_what_ships_is_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_LOGIN", "admin:secret")
    loaded = read_config(EDGE / name)
    assert len(loaded.config.cameras) >= 2


def test_every_parameter_of_every_rule_is_described() -> None:
    for rule in RULES.values():
        for name, info in rule.parameters_type.model_fields.items():
            assert info.description, f"{rule.__name__}: {name}"


def test_every_rule_reports_a_kind_the_catalogue_knows() -> None:
    for rule in RULES.values():
        assert set(rule.kinds) <= set(KINDS)


def test_settings_come_from_the_environment_and_options_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEAWATCH_EDGE_STATE", "/srv/box")
    monkeypatch.setenv("TEAWATCH_EDGE_DRAIN_S", "3")
    assert (Settings().state, Settings().drain_s) == (Path("/srv/box"), 3)
    assert Settings(state=tmp_path).state == tmp_path


def test_under_systemd_the_state_lies_where_systemd_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/teawatch:/var/lib/other")
    assert Settings().state == Path("/var/lib/teawatch")


def test_a_certificate_lies_beside_the_configuration_and_is_for_both_streams(write: Any, tmp_path: Path) -> None:
    keys = "url: rtsps://10.0.0.2/a\n    main_url: rtsps://10.0.0.2/b\n    certificate: cameras.pem"
    camera = read_config(write(change("url: rtsp://admin:hunter2@10.0.0.7/main", keys))).config.cameras[0]
    main = camera.main_source(tmp_path)
    assert main is not None
    assert {camera.source(tmp_path).certificate, main.certificate} == {str(tmp_path / "cameras.pem")}
