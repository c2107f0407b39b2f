"""The README's picture is taken here: `make screenshots` renews it. What the cameras see in it is drawn, not filmed."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

from alerts.messages import Box
from tests.center.pages.scene import HEIGHT, INTRUSION, PARKING, WIDTH, annotate, open_scene
from tests.journey.test_pages_browser import DESK, FLAGS, visit

README_PICTURE = Path(__file__).parents[2] / "docs" / "images" / "board.png"
ARE_DRAWN = (
    "[...document.querySelectorAll('[data-lead] img')]"
    ".every(each => each.getBoundingClientRect().top > innerHeight || (each.complete && each.naturalWidth))"
)
SIZE = {"width": DESK["width"], "height": 760}


@pytest.mark.system("chromium", "fonts-noto-cjk")
def test_the_readmes_picture_shows_the_board_with_three_leads(tmp_path: Path) -> None:
    taken = tmp_path / "board.png"
    with open_scene(tmp_path / "centre") as scene, sync_playwright() as playwright:
        scene.box.be_online(scene.now)
        for number, (sighting, picture) in enumerate(
            ((PARKING, draw_street(520)), (PARKING, draw_street(90)), (INTRUSION, draw_garden()))
        ):
            at = scene.now - timedelta(minutes=3 - number)
            scene.box.see(sighting, f"i-{number}", at, picture=picture, annotated=annotate(picture, sighting))
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        with visit(browser, scene, SIZE, "en") as officer:
            officer.sign_in("officer-a")
            expect(officer.page.locator("[data-lead] img")).to_have_count(3)
            expect(officer.page.locator('[data-connection="on"]')).to_be_visible()
            officer.page.wait_for_function(ARE_DRAWN)
            officer.page.screenshot(path=taken)
        browser.close()
    if os.environ.get("TEAWATCH_SCREENSHOTS"):
        README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
        README_PICTURE.write_bytes(taken.read_bytes())
    fresh, shown = cv2.imread(str(taken)), cv2.imread(str(README_PICTURE))
    assert fresh is not None
    assert shown is not None, "make screenshots"
    assert fresh.shape == shown.shape
    assert len(np.unique(fresh.reshape(-1, 3), axis=0)) > 1000, "more than an empty page"


def draw_street(car_px: int) -> bytes:
    """A street with a kerb, a van in the no-parking zone and a car at `car_px`."""
    picture = sky()
    cv2.rectangle(picture, (0, 150), (WIDTH, 260), (150, 158, 166), -1)
    cv2.rectangle(picture, (0, 250), (WIDTH, HEIGHT), (112, 112, 108), -1)
    for shift in (0, 9):
        cv2.line(picture, (0, 262 + shift), (WIDTH, 262 + shift), (60, 190, 230), 3)
    for step in range(0, WIDTH, 110):
        cv2.rectangle(picture, (step + 20, 420), (step + 75, 430), (215, 215, 210), -1)
        cv2.rectangle(picture, (step + 12, 170), (step + 70, 225), (96, 104, 112), -1)
    draw_car(picture, PARKING.box, (238, 238, 236))
    draw_car(picture, Box(x=car_px, y=400, width=170, height=90), (120, 70, 50))
    return jpeg(picture)


def draw_car(picture: Any, box: Box, colour: tuple[int, int, int]) -> None:
    """A vehicle seen from the side."""
    middle = box.y + box.height // 2
    cv2.rectangle(picture, (box.x, middle), (box.x + box.width, box.y + box.height - 8), colour, -1)
    roof = [(box.x + 18, middle), (box.x + 45, box.y), (box.x + box.width - 25, box.y), (box.x + box.width - 8, middle)]
    cv2.fillPoly(picture, [np.array(roof)], colour)
    cv2.rectangle(picture, (box.x + 48, box.y + 8), (box.x + box.width - 32, middle - 2), (96, 84, 70), -1)
    for share in (0.22, 0.78):
        cv2.circle(picture, (box.x + int(box.width * share), box.y + box.height - 8), 14, (40, 40, 42), -1, cv2.LINE_AA)


def draw_garden() -> bytes:
    """Rows of tea on a slope, and somebody between them."""
    picture = sky()
    for number, (height_px, colour) in enumerate(((210, (150, 160, 128)), (245, (120, 142, 100)))):
        hills = [(x, int(height_px + 28 * np.sin(x / (90 + 40 * number) + number))) for x in range(0, WIDTH + 16, 16)]
        cv2.fillPoly(picture, [np.array([*hills, (WIDTH, HEIGHT), (0, HEIGHT)])], colour)
    for row in range(11):
        y = int(280 + row**1.55 * 8)
        curve = np.array([(x, int(y + 14 * np.sin(x / 150 + row / 3))) for x in range(0, WIDTH + 16, 16)])
        cv2.polylines(picture, [curve], isClosed=False, color=(62, 118, 70), thickness=14 + row * 3)
        cv2.polylines(picture, [curve - [0, 5 + row]], isClosed=False, color=(84, 150, 96), thickness=5 + row)
    seen = INTRUSION.box
    middle = seen.x + seen.width // 2
    cv2.circle(picture, (middle, seen.y + 18), 14, (120, 150, 190), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (middle, seen.y + 75), (20, 46), 0, 0, 360, (150, 80, 50), -1, cv2.LINE_AA)
    cv2.rectangle(picture, (middle - 14, seen.y + 110), (middle + 14, seen.y + seen.height), (70, 62, 58), -1)
    return jpeg(picture)


def sky() -> Any:
    """A picture that is sky from top to bottom."""
    top, horizon = np.array((232, 214, 188.0)), np.array((205, 210, 216.0))
    share = np.linspace(0, 1, HEIGHT)[:, None, None]
    return np.ascontiguousarray(np.broadcast_to(top + (horizon - top) * share, (HEIGHT, WIDTH, 3)).astype(np.uint8))


def jpeg(picture: Any) -> bytes:
    done, encoded = cv2.imencode(".jpg", picture)
    assert done
    return bytes(encoded)
