"""The demo's screen: the newest events stay on it, however low the terminal is."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from center.demo.stage import Account
from center.demo.terminal import LOG_LINES, CameraRow, Scene

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def scene() -> Scene:
    """Four accounts, two cameras, a full log."""
    scene = Scene(
        board_url="http://127.0.0.1:8000",
        trace_url="http://127.0.0.1:8000/01/09506000134413/10/QL-ORG-0118/21/0001",
        qr_path="packet-qr.png",
        accounts=tuple(Account(name, "dezh-dsku-vw95-pduu", "officer") for name in "abcd"),
        cameras={"cam-1": CameraRow(), "cam-2": CameraRow()},
    )
    for number in range(LOG_LINES):
        scene.say(AT, f"event {number}" + " of a long tale" * (number % 2) * 6)
    return scene


@pytest.mark.parametrize("height", [20, 24, 28, 60])
def test_the_newest_event_is_on_a_screen_of_any_height(scene: Scene, height: int) -> None:
    console = Console(file=io.StringIO(), width=80, height=height)
    lines = console.render_lines(scene, console.options)
    text = "\n".join("".join(segment.text for segment in line) for line in lines)

    assert len(lines) <= height
    assert f"event {LOG_LINES - 1}" in text
    assert ("event 0" in text) == (height == 60)


def test_a_screen_before_the_first_event_says_what_it_waits_for(scene: Scene) -> None:
    scene.lines.clear()
    console = Console(file=io.StringIO(), width=80, height=40)
    with console.capture() as shown:
        console.print(scene)
    assert "waiting for the first picture" in shown.get()
