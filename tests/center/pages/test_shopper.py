"""The shopper's page: everything on record, nothing else, and honest about the difference."""

from datetime import timedelta

import httpx
import pytest

from tests.center.pages.markup import faults, read
from tests.center.pages.scene import INTRUSION, PARKING, Scene
from traceability.gs1 import digital_link_path

ORGANIC = ("09506000134413", "QL-ORG-0118", "0001")
CONVERSION = ("09506000134420", "QL-WP-0093", "0001")


def page(scene: Scene, pack: tuple[str, str, str], language: str = "zh-CN") -> httpx.Response:
    with scene.client(language=language) as shopper:
        return shopper.get(digital_link_path(*pack))


def test_the_whole_way_of_a_packet_stands_on_its_page(scene: Scene) -> None:
    text = page(scene, ORGANIC).text
    for words in (
        "青岚有机绿茶",
        "有机认证",
        "青山有机茶园",
        "12.1 亩",
        "龙井43",
        "DEMO-OP-2026-0017",
        "茶农-青山-07",
        "茶青卡 …0731",
        "21.4 千克",
        "云溪鲜叶交易点",
        "云溪阳光茶厂",
        "摊青",
        "杀青",
        "235 °C",
        "揉捻",
        "干燥",
        "检测：各项均合格",
        "联苯菊酯",
        "未检出",
        "0.31",
        "mg/kg",
        "7.0",
        "QL-ORG-0118",
        "本批次登记 60 包",
    ):
        assert words in text, words


def test_english_shoppers_read_the_same_in_english(scene: Scene) -> None:
    text = page(scene, ORGANIC, "en").text
    for words in ("Qinglan Organic Green Tea", "Certified organic", "Grower Qingshan-07", "Withering", "none found"):
        assert words in text, words


def test_tea_from_a_garden_in_conversion_is_never_called_organic(scene: Scene) -> None:
    text = page(scene, CONVERSION, "en").text
    assert "Garden in conversion to organic: not organic tea yet" in text
    assert "Certified organic" not in text


def test_no_findings_is_never_sold_as_no_problem(scene: Scene) -> None:
    text = page(scene, CONVERSION, "en").text
    assert "No published findings" in text
    assert "That is not the same as “no problem”" in text
    assert "What this page cannot show" in text


def test_an_unreviewed_lead_never_reaches_the_shopper(scene: Scene) -> None:
    before = page(scene, ORGANIC).text
    lead = scene.box.see(INTRUSION, "shopper-1", scene.now - timedelta(minutes=1))
    scene.box.see(PARKING, "shopper-2", scene.now)
    after = page(scene, ORGANIC).text
    assert after == before
    assert lead not in after


def test_the_page_needs_no_cookie_no_script_and_nothing_from_elsewhere(scene: Scene) -> None:
    answer = page(scene, ORGANIC)
    assert "set-cookie" not in answer.headers
    assert read(answer.text).all("script") == []
    assert faults(answer.text) == []


def test_the_garden_is_drawn_to_scale_with_every_plot_of_the_packet(scene: Scene) -> None:
    drawing = read(page(scene, ORGANIC).text)
    names = [text.text for text in drawing.all("text") if text.attributes.get("class") == "plot-name"]
    assert names == ["一号地块", "二号地块"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(
    ("pack", "typed_wrong"),
    [
        (("09506000134413", "QL-ORG-0118", "9999"), False),
        (("09506000134413", "NO-SUCH-LOT", "0001"), False),
        (("09506000134414", "QL-ORG-0118", "0001"), True),
        (("124", "QL-ORG-0118", "0001"), True),
        (("09506000134413", "L" * 21, "0001"), True),
    ],
)
def test_an_unknown_code_is_a_friendly_404_that_says_what_it_may_mean(
    scene: Scene, pack: tuple[str, str, str], language: str, *, typed_wrong: bool
) -> None:
    answer = page(scene, pack, language)
    assert answer.status_code == 404
    assert faults(answer.text) == []
    slip = {"zh-CN": "这不是完整的包装编号", "en": "This is not a complete packet number"}[language]
    assert (slip in answer.text) is typed_wrong
    assert "12315" in answer.text


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/01/09506000134413", ["09506000134413"]),
        ("/01/09506000134413/", ["09506000134413"]),
        ("/01/09506000134414", ["09506000134414"]),
        ("/01/09506000134413/10/QL-ORG-0118", ["09506000134413", "QL-ORG-0118"]),
        ("/01/09506000134413/10/QL-ORG-0118/21/", ["09506000134413", "QL-ORG-0118"]),
        ("/01/09506000134413/21/0001", ["09506000134413", "0001"]),
        ("/01/", []),
    ],
)
def test_an_incomplete_code_is_answered_for_shoppers_too(scene: Scene, path: str, named: list[str]) -> None:
    with scene.client() as shopper:
        answer = shopper.get(path)
    assert answer.status_code == 404
    assert "This is not a complete packet number" in answer.text
    assert faults(answer.text) == []
    facts = [each.text for each in read(answer.text).all("dd")]
    assert [fact for fact in facts if fact != "missing"] == named
    assert "/sign-in" not in answer.text


def test_a_code_cannot_smuggle_markup_into_the_page(scene: Scene) -> None:
    with scene.client() as shopper:
        text = shopper.get("/01/09506000134413/10/%3Cscript%3Ealert(1)%3C%2Fscript%3E/21/0001").text
    assert "<script>alert" not in text


def test_a_shorter_gtin_finds_the_same_packet(scene: Scene) -> None:
    with scene.client() as shopper:
        assert shopper.get("/01/9506000134413/10/QL-ORG-0118/21/0001").status_code == 200
