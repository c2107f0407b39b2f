import io
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from edge import announcements
from edge.announcements import Announcer, delivery_to, log_events
from edge.console import LiveConsole


def test_a_sink_without_room_misses_what_is_said_then_and_nobody_else_does() -> None:
    is_full, disk, other = True, [], []

    def write(_: str, fields: Mapping[str, Any]) -> None:
        if is_full:
            raise OSError(28, "No space left on device")
        disk.append(fields["camera"])

    tell = Announcer([write, lambda _, fields: other.append(fields["camera"])])
    tell("seen", camera="a")
    is_full = False
    tell("seen", camera="b")
    assert (disk, other) == (["b"], ["a", "b"])


@pytest.mark.parametrize(
    ("event", "detail", "said"),
    [
        ("record_sent", {"sequence": 3, "times": 1}, ("alert_sent", {"sequence": 3, "times": 1})),
        ("records_confirmed", {"stored": 2, "quarantined": 0}, ("receipt", {"stored": 2, "quarantined": 0})),
        ("file_sent", {"sha256": "a", "size_bytes": 1}, ("evidence_uploaded", {"sha256": "a", "size_bytes": 1})),
        (
            "downlink_rejected",
            {"error": "BadSignature", "reason": "forged"},
            ("trouble", {"what": "a message that claims to be the centre's was refused", "reason": "forged"}),
        ),
    ],
)
def test_delivery_is_told_in_the_box_s_words(event: str, detail: dict, said: tuple[str, dict]) -> None:
    heard = []
    delivery_to(lambda event, /, **fields: heard.append((event, fields)))(event, detail)
    assert heard == [said]


def test_what_the_centre_puts_aside_is_a_warning_in_log_and_console(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        announcements, "log", SimpleNamespace(warning=lambda event, **said: warned.append((event, said)))
    )
    out = Console(file=io.StringIO(), width=140, force_terminal=False)
    console = LiveConsole("box-1", out)

    delivery_to(Announcer([log_events, console]))("records_confirmed", {"stored": 0, "quarantined": 3})
    out.print(console.draw())

    assert warned == [("set_aside", {"count": 3})]
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert "the centre put 3 of this box's records aside: look at its quarantine page" in text


def test_a_connection_that_stays_down_is_said_once() -> None:
    heard = []
    pass_on = delivery_to(lambda event, /, **_: heard.append(event))
    for event in ("disconnected", "disconnected", "connected", "disconnected", "disconnected"):
        pass_on(event, {"reason": "no broker", "broker": "b"})
    assert heard == ["disconnected", "connected", "disconnected"]


def test_every_event_the_box_says_is_in_the_table() -> None:
    table = announcements.__doc__ or ""
    source = "".join(path.read_text() for path in Path(announcements.__file__).parent.glob("*.py"))
    said = set(re.findall(r'_?tell\(\s*"([a-z_]+)"', source)) | set(announcements.DELIVERY.values())
    assert len(said) > 8
    assert [event for event in said if f"`{event}`" not in table] == []


def test_the_console_shows_what_is_seen_found_and_delivered() -> None:
    out = Console(file=io.StringIO(), width=140, force_terminal=False)
    console = LiveConsole("box-1", out)
    console("camera_state", {"camera": "cam-1", "state": "playing", "reason": ""})
    console(
        "seen",
        {"camera": "cam-1", "counts": {"person": 3, "car": 1}, "rate_per_s": 2.9, "frames": 41, "open_incidents": 1},
    )
    console("camera_state", {"camera": "cam-2", "state": "failed", "reason": "no [such] file"})
    facts = {"kind": "street.illegal_parking", "rule": "parking", "camera": "cam-1", "zone": "kerb"}
    console("incident_opened", {**facts, "objects": 1, "class_name": "car", "revision": 1, "incident": "i"})
    for times in (1, 2, 3):
        console("alert_sent", {"sequence": 1, "times": times})
    console("receipt", {"stored": 1, "quarantined": 0})
    console("evidence_uploaded", {"sha256": "a", "size_bytes": 5})
    console("trouble", {"what": "disk", "reason": "full [95%]"})
    out.print(console.draw())
    text = out.file.getvalue()  # type: ignore[attr-defined]
    for part in (
        "box-1",
        "1 car, 3 person",
        "2.9",
        "failed",
        "no [such] file",
        "opened street.illegal_parking by parking at cam-1/kerb: 1 car",
        "records sent 1, confirmed by the centre 1; files delivered 1",
        "disk: full [95%]",
    ):
        assert part in text


def test_the_console_shows_what_hinders_a_view_and_forgets_cameras_that_are_taken_away() -> None:
    out = Console(file=io.StringIO(), width=140, force_terminal=False)
    console = LiveConsole("box-1", out)
    for camera in ("stays", "goes"):
        console("camera_state", {"camera": camera, "state": "playing", "reason": ""})
    console("camera_health", {"camera": "stays", "troubles": ["covered", "blurred"]})
    console("reloaded", {"cameras": ["stays"], "config_sha256": "a"})
    out.print(console.draw())
    console("camera_health", {"camera": "stays", "troubles": []})
    out.print(console.draw())
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert text.count("covered, blurred") == 1
    assert text.count("playing") == 2
    assert "goes" not in text
    assert "a changed configuration is in force" in text


def test_the_console_fits_a_small_screen_with_what_is_wrong_on_top_and_the_newest_below() -> None:
    out = Console(file=io.StringIO(), width=80, height=24, force_terminal=False)
    console = LiveConsole("box-1", out)
    for number in range(30):
        console("camera_state", {"camera": f"cam-{number:02}", "state": "playing", "reason": ""})
    reason = "camera cam-17: rtsp://10.0.0.8/main cannot be reached (connection refused); check cable, address and port"
    console("camera_state", {"camera": "cam-17", "state": "unreachable", "reason": reason})
    for number in range(12):
        console("trouble", {"what": "disk", "reason": f"number {number} " + "is full, as everybody can see " * 3})
    for _ in range(3):
        console("set_aside", {"count": 1})
    out.print(console.draw())
    lines = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    assert [part in lines[2] for part in ("cam-17", "unreachable", "rtsp://10.0.0.8/main", "…")] == [True] * 4
    assert any("more" in line for line in lines)
    text = " ".join(line.strip("│ ") for line in lines)
    assert "quarantine page (3 times)" in text
    assert "number 11" in text
    assert "number 0 " not in text
