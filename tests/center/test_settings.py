"""Settings: documented, overridable in order, and wrong ones said in one line that names the key."""

from pathlib import Path

import pytest
import yaml

from center.errors import SettingsInvalid
from center.settings import Settings, known_keys, load_settings

SAMPLE = Path(__file__).parents[2] / "center" / "sample.yaml"


def keys_of(values: dict[str, object], prefix: str = "") -> set[str]:
    found = set()
    for key, value in values.items():
        found |= keys_of(value, f"{key}.") if isinstance(value, dict) else {prefix + key}
    return found


def test_every_key_is_documented_in_the_sample_and_no_other() -> None:
    assert keys_of(yaml.safe_load(SAMPLE.read_text())) == set(known_keys())


def test_the_sample_says_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "center.yaml").write_text(SAMPLE.read_text())

    assert load_settings(tmp_path) == Settings(data=tmp_path)


def undocumented(lines: list[str]) -> list[str]:
    """Keys with a value and no comment above them; a comment holds for the keys right below it."""
    bare, explained = [], False
    for line in lines:
        told = line.strip()
        if told.startswith("#"):
            explained = True
        elif not told or told.endswith(":"):
            explained = False
        elif not explained:
            bare.append(told)
    return bare


def test_every_key_of_the_sample_has_a_comment_above_it_or_above_its_neighbours() -> None:
    lines = SAMPLE.read_text().splitlines()
    assert undocumented(lines) == []
    assert undocumented(["# told", "a: 1", "b: 2", "", "c: 3", "group:", "  d: 4", "  # told", "  e: 5"]) == [
        "c: 3",
        "d: 4",
    ]


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "center.yaml").write_text("name: file\nweb: {port: 8001, host: 127.0.0.2}\nmqtt: {port: 1001}\n")
    monkeypatch.setenv("TEAWATCH_CENTER_WEB__PORT", "8002")
    monkeypatch.setenv("TEAWATCH_CENTER_MQTT__PORT", "1002")

    settings = load_settings(tmp_path, web={"port": 8003}, mqtt={"port": None})

    assert (settings.name, settings.web.host) == ("file", "127.0.0.2")
    assert (settings.web.port, settings.mqtt.port) == (8003, 1002)


def test_servers_bind_this_machine_only_unless_told() -> None:
    settings = Settings()
    assert (settings.web.host, settings.mqtt.host) == ("127.0.0.1", "127.0.0.1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tennant: x", "unknown key 'tennant'; did you mean 'tenant'?"),
        ("web: {prot: 1}", "unknown key 'web.prot'; did you mean 'web.port'?"),
        ("qqqq: 1", "unknown key 'qqqq'; known keys stand in center/sample.yaml"),
        ("web: {port: 70000}", "web.port: Input should be less than or equal to 65535"),
        ("web: 5", "web: Input should be a valid dictionary"),
        ("data: elsewhere", "'data' cannot be set here; --data names the data folder"),
        ("tenant: two words", "tenant: String should match pattern"),
        ("- a list", "cannot be read"),
        ("a: [", "cannot be read"),
        ("name: " + "[" * 5000, "cannot be read: nested too deeply"),
        ("name: 2020-13-45", "cannot be read: line 1, column 7: looks like a date and is none"),
        ("web: {port: " + "9" * 5000 + "}", "cannot be read: line 1, column 13: is not a number that can be used"),
        ("mqtt: &m {port: 1}\nweb:\n  <<: *m", "cannot be read: line 3, column 3: merge keys (<<) are not supported"),
        ("name: !!bool x", "cannot be read: line 1, column 7: is neither yes nor no"),
        ("mqtt: {max_message_kib: 255}", "mqtt.max_message_kib: Input should be greater than or equal to 256"),
        ("time_zone: Mars/Olympus", "time_zone: Value error, there is no time zone 'Mars/Olympus'"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "center.yaml").write_text(text + "\n")

    with pytest.raises(SettingsInvalid) as caught:
        load_settings(tmp_path)

    assert said in str(caught.value)
    assert str(tmp_path / "center.yaml") in str(caught.value)
    assert "\n" not in str(caught.value)
