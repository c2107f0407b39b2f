"""The room of coverage: a day as a bar and in words, and the question that has three answers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import httpx
import pytest

from alerts.messages import Hindrance
from center.intake.filing import Outcome
from center.pages.coverageviews import bar_of
from center.pages.formats import Formats
from center.watching import SEEN, UNKNOWN, Account, Claim
from center.words import languages
from tests.center.pages.markup import faults, read
from tests.center.pages.scene import INTRUSION, Scene, open_scene
from tests.center.test_coverage import make_coverage

ZONE = ZoneInfo("Asia/Shanghai")
CAMERA = "cam-garden-01"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A centre of its own: what is told here would be found by other tests."""
    with open_scene(tmp_path_factory.mktemp("centre")) as opened:
        yield opened


@pytest.fixture(scope="module")
def midnight(scene: Scene) -> datetime:
    """The day before yesterday began here: from 6 to 14 o'clock the camera was watched but for two stretches."""
    today = scene.now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = today - timedelta(days=2)
    for number in range(8):
        parts: list[tuple[float, Hindrance | None]] = [(3600, None)]
        if number == 3:
            parts = [(1200, None), (1860, Hindrance.TURNED), (540, None)]
        if number == 5:
            parts = [(1000, None), (1020, Hindrance.NO_STREAM), (1580, None)]
        told = make_coverage(midnight + timedelta(hours=7 + number), *parts, camera=CAMERA)
        assert scene.box.say(told, told.until_at) is Outcome.STORED
    return midnight


def asking(client: httpx.Client, midnight: datetime, first: float, last: float) -> str:
    times = [(midnight + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M") for hour in (first, last)]
    answer = client.get(f"/coverage/{CAMERA}", params={"from": times[0], "until": times[1]})
    assert answer.status_code == 200
    assert faults(answer.text) == []
    return " ".join(read(answer.text).all("main")[0].text.split())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Watched 7 h 12 min of 24 h", "31 min · turned away", "17 min · no connection", "16 h · not reported")),
        (
            "zh-CN",
            ("24 小时中已监看 7 小时 12 分", "31 分钟 · 镜头被转向", "17 分钟 · 摄像机无连接", "16 小时 · 未报告"),
        ),
    ],
)
def test_a_day_says_how_long_it_was_watched_and_what_was_in_the_way(
    scene: Scene, midnight: datetime, language: str, words: tuple[str, ...]
) -> None:
    with scene.signed_in(language=language) as officer:
        page = officer.get("/coverage", params={"day": midnight.date().isoformat()})
        assert faults(page.text) == []
        assert page.text.count('<svg class="coverage-bar" viewBox="0 0 1440 24"') == 2
        for each in words:
            assert each in page.text


def test_a_bar_begins_and_ends_with_its_day_and_holds_every_stretch(scene: Scene, midnight: datetime) -> None:
    with scene.signed_in() as officer:
        text = officer.get("/coverage", params={"day": midnight.date().isoformat()}).text
    part = text[text.index(f'id="{CAMERA}"') :]
    drawn = read(part[: part.index("</section>")]).all("rect")
    assert {each.attributes["class"] for each in drawn} == {"seen", "hindered", "unknown", "ground"}
    spans = sorted(
        (float(each.attributes["x"]), float(each.attributes["width"]))
        for each in drawn
        if each.attributes["class"] != "ground"
    )
    assert spans[0][0] == 0
    assert sum(spans[-1]) == pytest.approx(1440)
    for (x, width), (following, _) in pairwise(spans):
        assert x + width == pytest.approx(following, abs=0.02)


@pytest.mark.parametrize(
    ("tag", "watched", "lengths", "times"),
    [
        (
            "en",
            "Watched 1 h 14 min of 1 h 30 min",
            ["15 min", "44 s"],
            ["5 Apr, 08:00:00–08:00:44 · no connection to the camera", "5 Apr, 09:15–09:30 · not reported"],
        ),
        (
            "zh-CN",
            "1 小时 30 分中已监看 1 小时 14 分",
            ["15 分钟", "44 秒"],
            ["4月5日 08:00:00–08:00:44 · 摄像机无连接", "4月5日 09:15–09:30 · 未报告"],
        ),
    ],
)
def test_short_times_are_told_to_the_second_and_long_ones_to_the_minute(
    tag: str, watched: str, lengths: list[str], times: list[str]
) -> None:
    eight = datetime(2026, 4, 5, 8, tzinfo=ZONE)
    ends = [eight + timedelta(seconds=seconds) for seconds in (0, 44.1, 4500, 5400)]
    claims = (Claim(*ends[0:2], "no_stream"), Claim(*ends[1:3], SEEN), Claim(*ends[2:4], UNKNOWN))
    bar = bar_of(Formats(languages()[tag], ZONE), Account(ends[0], ends[3], claims), ends[0], ends[3])
    assert bar.watched == watched
    assert [reason.length for reason in bar.reasons] == lengths
    assert list(bar.times) == times


def test_the_question_is_answered_in_three_ways(scene: Scene, midnight: datetime) -> None:
    with scene.signed_in() as officer:
        assert "No The camera was watched the whole time" in asking(officer, midnight, 6, 9)
        partly = asking(officer, midnight, 9, 10)
        assert "Not known for the whole time Nothing was reported, but for 31 min nobody was looking." in partly
        assert "Not known In all this time nobody was looking." in asking(officer, midnight, 1, 5)
        scene.box.see(INTRUSION, "coverage-1", midnight + timedelta(hours=10.5))
        found = asking(officer, midnight, 9, 12)
        assert "Yes The camera reported something" in found
        assert "there may have been more" in found


def test_a_technician_sees_when_a_camera_was_watched_and_not_what_was_found(scene: Scene, midnight: datetime) -> None:
    with scene.signed_in("technician") as technician:
        text = asking(technician, midnight, 6, 9)
        assert "Watched 3 h of 3 h" in text
        assert "What was found is for those who check leads" in text
        assert "nothing was reported" not in text


@pytest.mark.parametrize(
    "query",
    [
        "?from=2020-01-01T00:00&until=2026-01-01T00:00",
        "?from=2099-01-01T00:00&until=2099-01-02T00:00",
        "?from=0001-01-01T00:00&until=9999-12-31T23:59",
        "?from=9999-12-31T23:59%2B00:00&until=9999-12-31T23:59-14:00",
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_what_does(scene: Scene, query: str) -> None:
    with scene.signed_in() as officer:
        page = officer.get(f"/coverage/{CAMERA}{query}")
        assert (page.status_code, faults(page.text)) == (200, [])
        assert "Choose a time that has begun" in page.text


@pytest.mark.parametrize("day", ["", "nonsense", "0001-01-01", "9999-12-31", "2000-01-01"])
def test_any_day_is_a_page(scene: Scene, day: str) -> None:
    with scene.signed_in() as officer:
        page = officer.get("/coverage", params={"day": day})
        assert (page.status_code, faults(page.text)) == (200, [])


def test_a_camera_nobody_knows_has_no_page(scene: Scene) -> None:
    with scene.signed_in() as officer:
        assert officer.get("/coverage/cam-nowhere").status_code == 404
