"""The pages in a real Chromium: a lead arrives live and its task is walked to the end, on a desk and on a phone.

No request leaves 127.0.0.1, the console stays silent, nothing scrolls sideways, nothing is left untranslated.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from alerts.messages import Phase
from alerts.records import hash_of
from streams.clips import cut
from tests.center.pages.scene import INTRUSION, PARKING, PASSWORD, ROOMS, Scene, open_scene
from tests.center.pages.sentences import sentences
from tests.streams.reels import encode, read, without_tables
from traceability.gs1 import digital_link_path

pytestmark = pytest.mark.system("chromium", "fonts-noto-cjk")

FLAGS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK: Final = {"width": 1280, "height": 800}
PHONE: Final = {"width": 390, "height": 844}
VISITS: Final = [
    pytest.param(DESK, "zh-CN", id="desk-zh"),
    pytest.param(PHONE, "zh-CN", id="phone-zh"),
    pytest.param(DESK, "en", id="desk-en"),
    pytest.param(PHONE, "en", id="phone-en"),
]
MOVES: Final = {
    "zh-CN": [("签收", "已签收"), ("开始处置", "处置中"), ("确认已整改", "已整改"), ("结案", "已结案")],
    "en": [
        ("Acknowledge", "Acknowledged"),
        ("Start", "Under way"),
        ("Mark rectified", "Rectified"),
        ("Close", "Closed"),
    ],
}
TRY_AGAIN: Final = {"zh-CN": "未能取得该片段，请重试。", "en": "The clip could not be fetched; try again."}
SHOWN_IN_BOTH: Final = re.compile(r"中文|茶青卡|有机码")
CJK: Final = re.compile(r"[一-鿿]+")
LONG_SENTENCES: Final = frozenset(each.id for each in sentences() if len(each.id.split()) > 2)
TOUCHED: Final = ".button, .room, .choices > a, .choices > label, summary, .legend label, .room-line, .brand"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with open_scene(tmp_path_factory.mktemp("centre")) as opened:
        opened.box.be_online(opened.now)
        yield opened


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A browser window of somebody, and all that went wrong in it."""

    page: Page
    url: str
    language: str
    troubles: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def sign_in(self, name: str) -> None:
        self.go("/sign-in")
        self.page.locator("#name").fill(name)
        self.page.locator("#password").fill(PASSWORD)
        self.page.locator("form .button.first").click()
        expect(self.page.locator("h1")).to_be_visible()

    def check(self) -> None:
        """What must hold on every page."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{self.page.url} scrolls"
        words = self.page.locator("body").inner_text()
        if self.language == "en":
            assert CJK.findall(SHOWN_IN_BOTH.sub("", words)) == [], self.page.url
        else:
            left = [each for each in LONG_SENTENCES if each in words]
            assert left == [], self.page.url
        broken = self.page.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)")
        assert broken == []


@contextmanager
def visit(browser: Browser, scene: Scene, size: Any, language: str, **more: Any) -> Iterator[Visit]:
    """A fresh window; closing it fails if anything went wrong in it."""
    context: BrowserContext = browser.new_context(viewport=size, locale=language, reduced_motion="reduce", **more)
    context.set_default_timeout(15_000)
    opened = Visit(context.new_page(), scene.url, language)
    opened.page.on("pageerror", lambda error: opened.troubles.append(f"error: {error}"))
    opened.page.on(
        "console", lambda line: opened.troubles.append(line.text) if line.type in {"error", "warning"} else None
    )
    context.on(
        "request",
        lambda request: (
            opened.troubles.append(f"left the house: {request.url}")
            if urlsplit(request.url).hostname not in {"127.0.0.1", None}
            else None
        ),
    )
    try:
        yield opened
    finally:
        context.close()
    assert opened.troubles == []


@pytest.mark.parametrize(("size", "language"), VISITS)
def test_a_lead_arrives_by_itself_and_its_task_is_walked_to_the_end(
    chromium: Browser, scene: Scene, request: pytest.FixtureRequest, size: Any, language: str
) -> None:
    incident = f"walk-{request.node.callspec.id}"
    with visit(chromium, scene, size, language) as officer:
        page = officer.page
        officer.sign_in("officer-a")
        expect(page.locator('[data-connection="on"]')).to_be_visible()
        page.evaluate("window.stayed = true")
        lead = scene.box.see(PARKING, incident, scene.now)
        card = page.locator(f'[data-lead="{lead}"]')
        expect(card).to_be_visible()
        expect(card.locator("img")).to_have_js_property("naturalWidth", 400)
        said = card.get_attribute("data-said")
        expect(page.locator("[data-announcer]")).to_have_text(said or "?")
        officer.check()
        card.locator("h3 a").click()
        expect(page.locator("#lead-map[data-drawn]")).to_be_visible()
        officer.check()
        page.evaluate("window.stayed = true")
        for button, state in MOVES[language]:
            page.locator("#task").get_by_role("button", name=button, exact=True).click()
            expect(page.locator("#task > header .badge")).to_have_text(state)
        assert page.evaluate("window.stayed") is True, "the page was loaded anew"
        expect(page.locator("#task .timeline > li")).to_have_count(5)
        officer.check()


@pytest.mark.parametrize(("size", "language"), VISITS)
def test_every_room_fits_its_window_and_speaks_one_language(
    chromium: Browser, scene: Scene, request: pytest.FixtureRequest, size: Any, language: str
) -> None:
    incident = f"rooms-{request.node.callspec.id}"
    lead = scene.box.see(INTRUSION, incident, scene.now - timedelta(minutes=2))
    scene.office.desk.receive(scene.box.topic, f'{{"not": "{incident}"}}'.encode())
    pack = scene.packs[0]
    with visit(chromium, scene, size, language) as officer:
        officer.sign_in("head")
        for path in (
            *ROOMS,
            f"/leads/{lead}",
            f"/tasks/{lead}",
            f"/coverage/{INTRUSION.camera}",
            f"/packs?lot={pack.lot}",
            digital_link_path(pack.gtin, pack.lot, pack.serial),
        ):
            officer.go(path)
            officer.check()
            if size is PHONE:
                small = officer.page.locator(TOUCHED).evaluate_all(
                    "all => all.filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5)"
                    ".map(e => e.outerHTML.slice(0, 120))"
                )
                assert small == [], path


def test_a_page_that_stays_open_hears_what_somebody_else_did(chromium: Browser, scene: Scene) -> None:
    lead = scene.box.see(PARKING, "two-people", scene.now, arrives=False)
    with visit(chromium, scene, DESK, "en") as watcher, visit(chromium, scene, PHONE, "en") as officer:
        watcher.sign_in("head")
        watcher.go(f"/leads/{lead}")
        expect(watcher.page.locator(".waiting").first).to_be_visible()
        note = watcher.page.locator("#reason-false_alarm")
        watcher.page.get_by_text("This is wrong").click()
        note.fill("half a sentence")
        officer.sign_in("officer-a")
        officer.go(f"/leads/{lead}")
        officer.page.get_by_role("button", name="Acknowledge").click()
        expect(watcher.page.locator("#task > header .badge")).to_have_text("Acknowledged")
        expect(note).to_have_value("half a sentence")
        scene.box.bring_all(lead, scene.now)
        expect(watcher.page.locator(".look.annotated img")).to_have_js_property("naturalWidth", 768)


def test_the_sealed_and_the_annotated_picture_stand_alone_or_side_by_side(chromium: Browser, scene: Scene) -> None:
    lead = scene.box.see(PARKING, "two-pictures", scene.now)
    with visit(chromium, scene, DESK, "en") as officer:
        officer.sign_in("officer-a")
        officer.go(f"/leads/{lead}")
        annotated, sealed = officer.page.locator(".look.annotated"), officer.page.locator(".look.sealed")
        for choice, shown in (
            ("Sealed original", (False, True)),
            ("Side by side", (True, True)),
            ("Annotated", (True, False)),
        ):
            officer.page.locator(".choices").get_by_text(choice, exact=True).click()
            expect(annotated).to_be_visible(visible=shown[0])
            expect(sealed).to_be_visible(visible=shown[1])


@pytest.mark.parametrize(("size", "language"), [VISITS[0], VISITS[3]])
def test_a_clip_that_arrives_is_shown_played_and_sought_in(
    chromium: Browser, scene: Scene, request: pytest.FixtureRequest, size: Any, language: str
) -> None:
    """Seeking needs the centre to answer for ranges: the film is longer than what is fetched at once."""
    incident = f"clip-{request.node.callspec.id}"
    lead = scene.box.see(PARKING, incident, scene.now)
    filler = b"\0\0\0\1\x0c" + b"\xff" * (40_000 + size["width"] + len(language)) + b"\x80"
    film = cut(
        [replace(packet, data=packet.data + filler) for packet in read(encode(size=(384, 288), frames=300))]
    ).data
    scene.box.film(PARKING.camera, incident, film, scene.now)
    with visit(chromium, scene, size, language) as officer:
        officer.sign_in("officer-a")
        with officer.page.expect_response(lambda answer: answer.url.endswith("/live")):
            officer.go(f"/leads/{lead}")
        expect(officer.page.locator("figure.clip .waiting")).to_be_visible()
        scene.box.bring(lead, film, scene.now)
        video = officer.page.locator("figure.clip video")
        expect(video).to_have_js_property("videoWidth", 384)
        assert video.evaluate("video => [video.paused, video.autoplay, video.controls]") == [True, False, True]
        officer.check()
        with officer.page.expect_response(lambda answer: answer.request.resource_type == "media") as piece:
            sought = video.evaluate(
                """video => new Promise(done => {
                    video.muted = true;
                    video.addEventListener("seeked", () => video.play().then(() => done(video.currentTime)));
                    video.currentTime = 11;
                })"""
            )
        assert (piece.value.status, sought) == (206, pytest.approx(11, abs=1))
        video.evaluate("video => new Promise(done => video.ended ? done() : video.addEventListener('ended', done))")


@pytest.mark.parametrize(("size", "language"), [VISITS[1], VISITS[2]])
def test_a_clip_that_this_browser_cannot_play_says_so_in_its_place(
    chromium: Browser, scene: Scene, request: pytest.FixtureRequest, size: Any, language: str
) -> None:
    incident = f"unplayable-{request.node.callspec.id}"
    lead = scene.box.see(PARKING, incident, scene.now)
    film = cut(list(read(encode("libx265", frames=50 + len(language), size=(384, 288))))).data
    scene.box.film(PARKING.camera, incident, film, scene.now)
    scene.box.bring(lead, film, scene.now)
    with visit(chromium, scene, size, language) as officer:
        officer.sign_in("officer-a")
        officer.go(f"/leads/{lead}")
        expect(officer.page.locator("figure.clip video")).to_be_hidden()
        expect(officer.page.locator("[data-unplayable]")).to_be_visible()
        expect(officer.page.locator("[data-unplayable]")).to_contain_text("H.265")
        officer.check()


@pytest.mark.parametrize(("size", "language"), [VISITS[0], VISITS[3]])
def test_a_clip_of_jpeg_pictures_plays_on_the_page_and_is_not_fetched_before_somebody_wants_it(
    chromium: Browser, scene: Scene, request: pytest.FixtureRequest, size: Any, language: str
) -> None:
    incident = f"jpeg-{request.node.callspec.id}"
    lead = scene.box.see(PARKING, incident, scene.now)
    made = read(encode("mjpeg", frames=20 + len(language), container="avi", options={"huffman": "default"}))
    film = cut([replace(packet, data=without_tables(packet.data)) for packet in made])
    assert film.media_type == "video/matroska"
    scene.box.film(PARKING.camera, incident, film.data, scene.now, media_type=film.media_type)
    scene.box.bring(lead, film.data, scene.now)
    with visit(chromium, scene, size, language) as officer:
        officer.sign_in("officer-a")
        fetched: list[str] = []
        officer.page.on("request", lambda asked: fetched.append(urlsplit(asked.url).path))
        officer.go(f"/leads/{lead}")
        player = officer.page.locator("clip-film")
        button, slider, screen = player.locator("button"), player.locator("input"), player.locator("canvas")
        expect(button).to_be_visible()
        expect(officer.page.locator("[data-unplayable]")).to_be_hidden()
        address = f"/api/v1/evidence/{hash_of(film.data)}"
        assert address not in fetched
        officer.page.route(f"**{address}*", lambda route: route.fulfill(status=503), times=1)
        button.click()
        expect(player.locator("span").last).to_have_text(TRY_AGAIN[language])
        assert len(officer.troubles) == 1
        officer.troubles.clear()
        button.click()
        expect(player).to_have_attribute("playing", "")
        expect(player).not_to_have_attribute("playing", "")
        assert fetched.count(address) == 2
        assert float(slider.input_value()) == pytest.approx(film.seconds, abs=0.01)
        assert screen.evaluate("screen => [screen.width, screen.height]") == [192, 144]
        last = screen.evaluate("screen => screen.toDataURL()")
        slider.fill("0")
        officer.page.wait_for_function("last => document.querySelector('canvas').toDataURL() !== last", arg=last)
        officer.check()


def test_what_is_no_jpeg_in_matroska_is_explained_once_it_was_looked_at(chromium: Browser, scene: Scene) -> None:
    lead = scene.box.see(PARKING, "odd-film", scene.now)
    film = cut(read(encode("mpeg4", frames=20)))
    scene.box.film(PARKING.camera, "odd-film", film.data, scene.now, media_type=film.media_type)
    scene.box.bring(lead, film.data, scene.now)
    with visit(chromium, scene, DESK, "en") as officer:
        officer.sign_in("officer-a")
        officer.go(f"/leads/{lead}")
        officer.page.locator("clip-film button").click()
        expect(officer.page.locator("[data-unplayable]")).to_be_visible()
        expect(officer.page.locator("clip-film button")).to_be_hidden()


def test_the_chosen_picture_stays_chosen_when_news_arrive(chromium: Browser, scene: Scene) -> None:
    lead = scene.box.see(PARKING, "chosen", scene.now)
    with visit(chromium, scene, DESK, "en") as officer:
        officer.sign_in("officer-a")
        with officer.page.expect_response(lambda answer: answer.url.endswith("/live")):
            officer.go(f"/leads/{lead}")
        officer.page.locator(".choices").get_by_text("Sealed original", exact=True).click()
        with officer.page.expect_response(lambda answer: "/head" in answer.url):
            scene.box.see(PARKING, "chosen", scene.now, phase=Phase.CLOSED, revision=2)
        expect(officer.page.locator("#lead-head .badge").first).to_have_text("Ended")
        expect(officer.page.locator(".look.sealed")).to_be_visible()
        expect(officer.page.locator(".look.annotated")).to_be_hidden()


def test_the_map_draws_the_register_without_tiles_and_switches_layers(chromium: Browser, scene: Scene) -> None:
    scene.box.see(PARKING, "on-the-map", scene.now)
    with visit(chromium, scene, DESK, "en") as officer:
        officer.sign_in("officer-a")
        officer.go("/map")
        page = officer.page
        expect(page.locator("#county-map[data-drawn]")).to_be_visible()
        for layer in ("plot", "plant", "grid", "view", "lead"):
            assert page.locator(f"#county-map path.shape-{layer}").count() > 0, layer
        assert page.locator("#county-map img").count() == 0
        credit = page.locator(".leaflet-control-attribution").inner_text()
        assert "WGS-84" in credit
        assert "Leaflet" not in credit
        page.get_by_label("Grids", exact=True).uncheck()
        expect(page.locator("#county-map path.shape-grid")).to_have_count(0)
        page.get_by_role("button", name="Qingshan Organic Tea Garden").click()
        expect(page.get_by_text("Plot 1", exact=True)).to_be_visible()


def test_the_keyboard_reaches_and_presses_everything_it_needs(chromium: Browser, scene: Scene) -> None:
    lead = scene.box.see(PARKING, "by-keyboard", scene.now)
    with visit(chromium, scene, DESK, "en") as officer:
        officer.sign_in("officer-a")
        officer.go(f"/leads/{lead}")
        page = officer.page
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#page")).to_be_focused()
        button = page.get_by_role("button", name="Acknowledge")
        for _ in range(20):
            page.keyboard.press("Tab")
            if button.evaluate("e => e === document.activeElement"):
                break
        expect(button).to_be_focused()
        assert button.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        expect(page.locator("#task > header .badge")).to_have_text("Acknowledged")


def test_a_task_can_be_moved_without_scripts(chromium: Browser, scene: Scene) -> None:
    lead = scene.box.see(PARKING, "no-scripts", scene.now)
    with visit(chromium, scene, PHONE, "zh-CN", java_script_enabled=False) as officer:
        officer.sign_in("officer-a")
        officer.go(f"/leads/{lead}")
        officer.page.get_by_role("button", name="签收").click()
        expect(officer.page.locator("#task > header .badge")).to_have_text("已签收")
        assert officer.page.url.endswith(f"/leads/{lead}#task")


def test_a_shopper_reads_the_verdict_without_scrolling_scripts_or_cookies(chromium: Browser, scene: Scene) -> None:
    pack = scene.packs[0]
    with visit(chromium, scene, PHONE, "zh-CN", java_script_enabled=False) as shopper:
        shopper.go(digital_link_path(pack.gtin, pack.lot, pack.serial))
        for words in ("这包茶登记在册", "没有已公布的核查结果"):
            box = shopper.page.get_by_text(words).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] < PHONE["height"], words
        assert shopper.page.context.cookies() == []


def test_a_click_that_does_not_arrive_says_so(chromium: Browser, scene: Scene) -> None:
    lead = scene.box.see(PARKING, "unanswered", scene.now)
    context = chromium.new_context(viewport=DESK, locale="en")
    officer = Visit(context.new_page(), scene.url, "en")
    officer.sign_in("officer-a")
    officer.go(f"/leads/{lead}")
    expect(officer.page.locator("#lead-map[data-drawn]")).to_be_visible()
    context.set_offline(True)
    officer.page.locator("#task").get_by_role("button", name="Acknowledge", exact=True).click()
    expect(officer.page.locator("[data-toasts]")).to_contain_text("Nothing was changed")
    context.close()
