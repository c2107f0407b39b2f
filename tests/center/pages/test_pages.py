"""Every page in both languages, without scripts: well made, safe, and for the right people."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from alerts.messages import Phase, Shortfall
from alerts.records import hash_of
from center.pages.rendering import CONTENT_POLICY
from tests.center.pages.markup import faults, read
from tests.center.pages.scene import DEVICE, INTRUSION, PARKING, ROOMS, Scene, draw_street, make_alert
from traceability.gs1 import digital_link_path

LANGUAGES = ("zh-CN", "en")


@pytest.fixture(scope="module", autouse=True)
def seen(scene: Scene) -> str:
    """A parked van and somebody in the garden; the van's lead."""
    scene.box.see(INTRUSION, "pages-2", scene.now - timedelta(minutes=3))
    return scene.box.see(PARKING, "pages-1", scene.now - timedelta(minutes=9))


@pytest.fixture(scope="module", params=LANGUAGES)
def officer(scene: Scene, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with scene.signed_in(language=request.param) as client:
        yield client


@pytest.mark.parametrize("path", [*ROOMS, "/tasks"])
def test_each_room_is_a_well_made_page(officer: httpx.Client, path: str) -> None:
    answer = officer.get(path)
    assert answer.status_code == 200
    assert faults(answer.text) == []


@pytest.mark.parametrize("room", ["/leads/{}", "/tasks/{}"])
def test_a_lead_and_its_task_are_well_made_pages(officer: httpx.Client, seen: str, room: str) -> None:
    answer = officer.get(room.format(seen))
    assert answer.status_code == 200
    assert faults(answer.text) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_public_pages_are_well_made_too(scene: Scene, language: str) -> None:
    pack = scene.packs[0]
    with scene.client(language=language) as visitor:
        for path in ("/sign-in", digital_link_path(pack.gtin, pack.lot, pack.serial), "/nowhere"):
            assert faults(visitor.get(path).text) == [], path


def test_pages_carry_a_policy_that_allows_nothing_inline_and_nothing_from_elsewhere(officer: httpx.Client) -> None:
    headers = officer.get("/").headers
    assert headers["content-security-policy"] == CONTENT_POLICY
    assert "unsafe" not in CONTENT_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_the_pages_own_files_are_named_by_their_contents(officer: httpx.Client) -> None:
    page = read(officer.get("/map").text)
    files = [element.attributes.get("src") or element.attributes["href"] for element in page.all("script", "link")]
    assert files
    for file in files:
        assert re.search(r"\?v=[0-9a-f]{10}$", file), file
        assert officer.get(file).status_code == 200, file


def test_the_language_follows_the_browser_until_somebody_chooses(scene: Scene) -> None:
    with scene.client(language="en") as visitor:
        assert read(visitor.get("/sign-in").text).all("html")[0].attributes["lang"] == "en"
        chosen = visitor.get("/language/zh-CN?back=/sign-in?back=/tasks")
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/sign-in?back=/tasks")
        assert read(visitor.get("/sign-in").text).all("html")[0].attributes["lang"] == "zh-CN"


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "evil"])
def test_the_way_back_never_leads_out_of_the_house(scene: Scene, back: str) -> None:
    with scene.client() as visitor:
        assert visitor.get("/language/en", params={"back": back}).headers["location"] == "/"


def test_a_lead_says_why_where_whom_and_on_which_record(officer: httpx.Client, seen: str, scene: Scene) -> None:
    text = officer.get(f"/leads/{seen}").text
    language = read(text).all("html")[0].attributes["lang"]
    for words in {
        "zh-CN": ("机动车违法停车", "停留时间", "20.4 秒", "阈值 20 秒", "茶市街一号网格", "录像", "时钟已同步"),
        "en": (
            "Illegal parking",
            "standing time",
            "20.4 s",
            "threshold 20 s",
            "Tea Market Street 1",
            "Recording",
            "Grid (street)",
        ),
    }[language]:
        assert words in text, words
    record = next(each for each in scene.box.records if each.data.incident == "pages-1")
    assert record.sha256 in text
    assert DEVICE in text
    assert "yolov3_tiny" in text


def test_a_garden_lead_says_that_the_camera_is_a_stand_in_and_whose_plot_it_is(officer: httpx.Client) -> None:
    text = officer.get(f"/leads/{DEVICE}.pages-2").text
    chinese = read(text).all("html")[0].attributes["lang"] == "zh-CN"
    for words in ("替代", "茶农-青山-07") if chinese else ("Stand-in", "Grower Qingshan-07", "LeafCard"):
        assert words in text


def test_a_picture_that_has_not_come_yet_is_announced_in_words(scene: Scene) -> None:
    lead = scene.box.see(PARKING, "pages-late", scene.now, arrives=False)
    with scene.signed_in() as officer:
        page = officer.get(f"/leads/{lead}").text
        assert "the picture is on its way" in page
        assert "/api/v1/evidence/" not in "".join(img.attributes["src"] for img in read(page).all("img"))


def test_every_picture_of_a_lead_can_be_reached_without_scripts(scene: Scene) -> None:
    began = scene.now - timedelta(minutes=5)
    lead = scene.box.see(PARKING, "pages-goes-on", began)
    first = scene.box.records[-1].data.artefacts[0].sha256
    again = draw_street(PARKING, "later")
    scene.box.see(PARKING, "pages-goes-on", scene.now, phase=Phase.UPDATED, revision=2, picture=again)
    later = scene.box.records[-1].data.artefacts[0].sha256
    with scene.signed_in() as officer:
        page = officer.get(f"/leads/{lead}").text
        assert faults(page) == []
        assert f'href="/api/v1/evidence/{first}"' in page
        links = [each.attributes["href"] for each in read(page).all("a") if "?picture=" in each.attributes["href"]]
        assert links == [f"/leads/{lead}?picture=1", f"/leads/{lead}?picture=2"]
        assert f'href="/api/v1/evidence/{later}"' in officer.get(links[1]).text
        assert f'href="/api/v1/evidence/{later}"' in officer.get(f"/leads/{lead}/head?picture=2").text
        assert f'href="/api/v1/evidence/{first}"' in officer.get(f"/leads/{lead}?picture=99").text
        assert "First seen" in page
        assert "Last seen" in page


@pytest.mark.parametrize("path", ["/", "/map", "/leads/{}"])
def test_a_page_says_in_words_what_it_cannot_do_without_scripts(officer: httpx.Client, seen: str, path: str) -> None:
    page = read(officer.get(path.format(seen)).text)
    (sheet,) = (link for link in page.all("link") if "noscript.css" in link.attributes["href"])
    assert ".needs-script" in officer.get(sheet.attributes["href"]).text
    assert any("needs-script" in each.attributes.get("class", "") for each in page.all("p", "div"))
    assert [words for words in page.all("noscript") if words.text.strip()]


def test_a_technician_sees_boxes_and_cameras_but_no_pictures_and_no_tasks(scene: Scene) -> None:
    with scene.signed_in("technician") as technician:
        board = technician.get("/").text
        assert "/api/v1/evidence/" not in board
        assert "Pictures are for those who check leads." in board
        assert technician.get("/devices").status_code == 200
        for path in ("/tasks", f"/leads/{DEVICE}.pages-1", f"/tasks/{DEVICE}.pages-1"):
            refused = technician.get(path)
            assert refused.status_code == 403
            assert "This is not for your account" in refused.text


def test_nobody_sees_a_room_without_signing_in_and_comes_back_to_it_after(scene: Scene) -> None:
    with scene.client() as visitor:
        for path in (*ROOMS[1:], f"/leads/{DEVICE}.pages-1", f"/leads/{DEVICE}.pages-1/shapes", "/map/shapes"):
            assert visitor.get(path).headers.get("location", "").startswith("/sign-in"), path
        assert visitor.get("/tasks?show=mine").headers["location"] == "/sign-in?back=%2Ftasks%3Fshow%3Dmine"
        assert visitor.get("/").headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    ("language", "words"), [("zh-CN", "这里没有内容"), ("en", "There is nothing here")], ids=LANGUAGES
)
def test_an_unknown_address_is_a_friendly_page_for_people_and_a_problem_for_programs(
    scene: Scene, language: str, words: str
) -> None:
    with scene.client(language=language) as visitor:
        page = visitor.get("/no-such-room")
        assert (page.status_code, words in page.text) == (404, True)
        problem = visitor.get("/no-such-room", headers={"Accept": "application/json"})
        assert problem.headers["content-type"] == "application/problem+json"


def test_leads_are_filtered_by_camera_and_kind_and_turned_page_by_page(scene: Scene) -> None:
    before = (scene.now - timedelta(minutes=2)).isoformat()
    with scene.signed_in() as officer:
        street = officer.get("/leads", params={"camera": "cam-street-01", "before": before}).text
        assert "pages-1" in street
        assert "pages-2" not in street
        assert "pages-2" in officer.get("/leads?kind=garden.intrusion").text
        past = (scene.now - timedelta(days=9)).isoformat()
        assert "Nothing fits these filters." in officer.get("/leads", params={"before": past}).text
        assert officer.get("/leads?before=2026-01-01T00:00:00").status_code == 422


def test_quarantine_shows_what_came_as_text_that_cannot_act(scene: Scene) -> None:
    scene.office.desk.receive(scene.box.topic, b'<script>alert("x")</script>\x00\x1b[31m\xe2\x80\xae end')
    with scene.signed_in() as officer:
        text = officer.get("/quarantine").text
        assert "&lt;script&gt;alert(" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert faults(text) == []


def test_boxes_show_what_is_missing_from_their_journal(scene: Scene) -> None:
    with scene.signed_in() as officer:
        assert "Nothing missing" in officer.get("/devices").text
        scene.box.skip()
        scene.box.see(PARKING, "pages-gap", scene.now)
        text = officer.get("/devices").text
        assert "Not here yet:" in text


def test_the_camera_register_names_who_why_and_what_for(officer: httpx.Client) -> None:
    text = officer.get("/cameras").text
    chinese = read(text).all("html")[0].attributes["lang"] == "zh-CN"
    for words in (
        ("青岚县综合行政执法局", "《行政处罚法》第四十一条", "街面秩序", "不向公众提供实时画面", "DEMO-GA-0001")
        if chinese
        else ("Qinglan County Enforcement Bureau", "art. 41", "Order on the street", "no live picture for the public")
    ):
        assert words in text, words


def test_a_card_names_what_was_seen_and_a_task_for_which_grid_its_officer_answers(scene: Scene, seen: str) -> None:
    for sighting, incident in ((INTRUSION, "pages-somebody"), (PARKING, "pages-van")):
        scene.box.see(sighting, incident, scene.now)
    with scene.signed_in() as officer:
        board = officer.get("/board/leads").text
        assert "· truck</span>" in board
        assert "· person</span>" in board
        assert "responsible for Tea Market Street 1 (street grid)" in officer.get(f"/tasks/{seen}").text


def test_quarantine_groups_the_same_reason_and_shows_no_fractions_of_seconds(scene: Scene) -> None:
    unknown = replace(PARKING, camera="cam-nowhere")
    original = scene.box._artefact(b"not sent", "picture", None)
    for incident in ("lost-1", "lost-2"):
        alert = make_alert(unknown, incident, scene.now, phase=Phase.OPENED, revision=1, picture=original)
        scene.box.say(alert, scene.now)
    with scene.signed_in() as officer:
        text = officer.get("/quarantine").text
    titles = [each.text for each in read(text).all("h2") if each.attributes.get("id") == "reason-unknown_camera"]
    assert len(titles) == 1
    assert "2 times" in titles[0]
    assert text.count("was not in the register at") == 2
    assert not re.search(r"\d\d:\d\d:\d\d\.\d", re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL))


@pytest.mark.parametrize(
    ("media_type", "arrives", "shows"),
    [
        ("video/mp4", True, "video"),
        ("video/webm", True, "video"),
        ("video/matroska", True, "save"),
        ("video/mp4", False, "wait"),
    ],
)
def test_a_lead_shows_its_clip_where_a_browser_can_and_always_lets_it_be_saved(
    scene: Scene, officer: httpx.Client, media_type: str, arrives: bool, shows: str
) -> None:
    incident = f"clip-{media_type[6:]}-{arrives}-{officer.headers['accept-language']}"
    lead = scene.box.see(PARKING, incident, scene.now)
    clip = f"a clip of {incident}".encode()
    scene.box.film(PARKING.camera, incident, clip, scene.now, media_type=media_type)
    if arrives:
        scene.box.bring(lead, clip, scene.now)
    page = officer.get(f"/leads/{lead}")
    assert (page.status_code, faults(page.text)) == (200, [])
    address = f"/api/v1/evidence/{hash_of(clip)}"
    assert (f'<video src="{address}" controls playsinline preload="metadata"' in page.text) == (shows == "video")
    assert (f'<clip-film src="{address}?lead={lead}"' in page.text) == (shows == "save")
    still = f'poster="/api/v1/evidence/{hash_of(scene.box.pictures[lead][1])}/thumbnail?lead={lead}"'
    assert (still in page.text) == (shows == "video"), "a picture of the incident stands there before it is played"
    assert ("autoplay" in page.text, f'href="{address}?reason=save_clip&amp;download=true&amp;lead=' in page.text) == (
        False,
        arrives,
    )
    on_its_way = {"en": "the clip is on its way", "zh-CN": "片段正在传来"}[officer.headers["accept-language"]]
    assert (on_its_way in page.text) == (shows == "wait")
    if arrives:
        saved = officer.get(address, headers={"Range": "bytes=2-5"})
        assert (saved.status_code, saved.content, saved.headers["content-type"]) == (206, clip[2:6], media_type)
        assert saved.headers["content-disposition"].endswith('.mkv"' if shows == "save" else f'.{media_type[6:]}"')


def test_a_clip_that_shows_less_than_it_was_to_says_so_under_itself(scene: Scene, officer: httpx.Client) -> None:
    incident = f"short-{officer.headers['accept-language']}"
    lead = scene.box.see(PARKING, incident, scene.now)
    causes = (Shortfall.CONNECTION, Shortfall.STALLED)
    scene.box.film(PARKING.camera, incident, incident.encode(), scene.now, falls_short=causes)
    told = {
        "en": "Shows less than it was to: the connection to the camera broke · no more pictures came from the camera",
        "zh-CN": "所示少于应有内容：与摄像机的连接中断 · 摄像机不再传来画面",
    }
    assert told[officer.headers["accept-language"]] in officer.get(f"/leads/{lead}").text
    scene.box.film(PARKING.camera, incident, b"raw", scene.now, falls_short=(Shortfall.RAW,))
    page = officer.get(f"/leads/{lead}").text
    as_sent = {"en": "Exactly as the camera sent it", "zh-CN": "与摄像机发来的完全一致"}
    assert page.count(as_sent[officer.headers["accept-language"]]) == 1, "not so of the clip that was raw"
    clip = next(file for file in officer.get(f"/api/v1/leads/{lead}").json()["files"] if file["role"] == "clip")
    assert clip["falls_short"] == ["connection", "stalled"]


def test_only_officers_see_clips(scene: Scene) -> None:
    scene.box.film(PARKING.camera, "pages-1", b"for officers only", scene.now)
    scene.box.bring(f"{DEVICE}.pages-1", b"for officers only", scene.now)
    address = f"/api/v1/evidence/{hash_of(b'for officers only')}"
    with scene.client() as visitor, scene.signed_in("technician") as technician:
        assert visitor.get(address).status_code in {303, 401}
        assert technician.get(address, headers={"Range": "bytes=3-"}).status_code == 403
