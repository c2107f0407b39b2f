"""The two languages: nothing is said in one that is not said in the other."""

import re

import pytest

from center.pages import terms
from center.words import choose_language, languages
from tests.center.pages.sentences import sentences

PLACES = re.compile(r"%\(\w+\)s")
ZH = languages()["zh-CN"]


def test_every_sentence_of_the_pages_is_said_in_chinese() -> None:
    missing = {f"{sentence.place}: {sentence.id}" for sentence in sentences() if sentence.id not in ZH.messages}
    assert not missing, f"add to {ZH.tag}: {sorted(missing)}"


def test_no_translation_is_left_behind_without_its_sentence() -> None:
    assert set(ZH.messages) <= {sentence.id for sentence in sentences()}


def test_both_languages_fill_the_same_places() -> None:
    for english, chinese in ZH.messages.items():
        said = chinese if isinstance(chinese, str) else chinese[0]
        assert sorted(PLACES.findall(english)) == sorted(PLACES.findall(said)), english
        assert said.strip(), english


def test_plural_sentences_fill_the_same_places_in_both_english_forms() -> None:
    for sentence in sentences():
        if sentence.plural:
            assert "%(num)s" in sentence.plural, sentence.id


def test_chinese_says_no_sentence_in_english() -> None:
    latin_only = [english for english, said in ZH.messages.items() if not re.search(r"[一-鿿]", str(said))]
    assert latin_only == []


@pytest.mark.parametrize(
    ("cookie", "header", "tag"),
    [
        (None, "", "zh-CN"),
        (None, "zh-CN,zh;q=0.9", "zh-CN"),
        (None, "zh-TW,en;q=0.5", "zh-CN"),
        (None, "en-US,en;q=0.9,zh;q=0.1", "en"),
        (None, "en;q=0.2,zh;q=0.8", "zh-CN"),
        (None, "de-DE,de;q=0.9", "en"),
        (None, "*", "zh-CN"),
        (None, "en;q=nonsense", "zh-CN"),
        ("en", "zh-CN", "en"),
        ("zh-CN", "en", "zh-CN"),
        ("tlh", "en", "en"),
    ],
)
def test_the_visitors_own_choice_wins_then_the_browsers_wish(cookie: str | None, header: str, tag: str) -> None:
    assert choose_language(cookie, header).tag == tag


def test_a_key_nobody_knows_is_shown_as_it_stands() -> None:
    assert terms.kind_name(ZH, "street.new_kind") == "street.new_kind"
    assert terms.clause_name(ZH, "new_clause") == "new_clause"
    assert terms.toned(ZH, terms.TASK_STATES, "new_state").name == "new_state"
