"""What people write in YAML: read, or one line that says where the mistake is."""

import pytest

from alerts.errors import YamlMistake
from alerts.strict_yaml import read_yaml

YAML_MISTAKES = {
    "too deep": ("a: " + "[" * 5000, "nested too deeply"),
    "too deep in keys": ("{a: " * 5000, "nested too deeply"),
    "a date that is none": ("a:\n  id: 2020-13-45", "line 2, column 7: looks like a date and is none"),
    "an hour that is none": ("2020-01-01T99:99:99Z", "looks like a date and is none"),
    "a number without end": ("a: " + "9" * 5000, "is not a number that can be used"),
    "a long number of sixteens": ("a: 0x" + "f" * 5000, "is not a number that can be used"),
    "no number": ("!!int ''", "is not a number that can be used"),
    "no measure": ("!!float secret", "is not a number that can be used"),
    "neither yes nor no": ("!!bool secret", "is neither yes nor no"),
    "merged keys": ("a: &a {b: 1}\nc:\n  <<: *a", "line 3, column 3: merge keys (<<) are not supported"),
    "a key twice": ("a: 1\na: 2", "line 2, column 1: key 'a' stands twice"),
    "a list as a key": ("? [a]\n: 1", "line 1, column 3: "),
    "a tag of somebody's": ("a: !secret 1", "line 1, column 4: "),
    "an end that is missing": ("a: [", "line 1, column 5: "),
    "a control character": ("a: \x01", "not a YAML file in UTF-8"),
}


@pytest.mark.parametrize("name", YAML_MISTAKES)
def test_every_mistake_is_one_line_with_its_place_and_without_the_text(name: str) -> None:
    text, expected = YAML_MISTAKES[name]
    with pytest.raises(YamlMistake) as caught:
        read_yaml(text.encode())
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_other_bytes_than_utf_8_are_a_mistake_and_no_error_of_the_program() -> None:
    with pytest.raises(YamlMistake, match="not a YAML file"):
        read_yaml(b"a: \xff\xfe\xfa")


def test_what_is_sound_is_read_anchors_too() -> None:
    text = "a: &a [1, 2.5, yes, 2020-01-02]\nb: *a\nc: -3"
    value = read_yaml(text.encode())
    assert isinstance(value, dict)
    assert (value["a"][:3], value["b"], value["c"]) == ([1, 2.5, True], value["a"], -3)
