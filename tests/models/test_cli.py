"""`teawatch models` answers a person in plain lines and a script in JSON."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.cards import card_names, load_card
from models.cli import app


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_list_names_the_models_and_their_licences() -> None:
    code, out, _ = run("list")
    assert code == 0
    assert "yolov3_tiny" in out
    assert "domain" in out


def test_list_as_json_carries_whole_cards() -> None:
    _, out, _ = run("list", "--json")
    cards = {card["name"]: card for card in json.loads(out)}
    assert tuple(cards) == card_names()
    card = cards["yolov3_tiny"]
    assert card["sha256"] == load_card("yolov3_tiny").sha256


def test_check_says_that_the_file_is_whole() -> None:
    code, out, _ = run("check")
    assert code == 0
    assert out.count("file is whole") == len(card_names())
    assert "yolov3_tiny: file is whole (SHA-256 cdfb9cc9e2d9" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "yolov3"), "no model called 'yolov3'; did you mean yolov3_tiny?"),
        (("evaluate", "yolov3_tiny", "--images", "/nowhere"), "/nowhere/config.yaml: cannot be read"),
    ],
)
def test_what_is_wrong_is_one_line_on_stderr_and_exit_status_1(arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_evaluate_reports_each_class_and_the_mean(shared: Path, tmp_path: Path) -> None:
    source = shared / "images" / "coco128val"
    for part, suffix in (("images", "jpg"), ("labels", "txt")):
        (tmp_path / part).mkdir()
        for name in ("000000000785", "000000000802"):
            shutil.copyfile(source / part / f"{name}.{suffix}", tmp_path / part / f"{name}.{suffix}")
    shutil.copyfile(source / "config.yaml", tmp_path / "config.yaml")
    code, out, _ = run("evaluate", "yolov3_tiny", "--images", str(tmp_path), "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["model"], report["pictures"]) == ("yolov3_tiny", 2)
    assert report["ap50"] == pytest.approx(
        sum(report["ap50_by_class"].values()) / len(report["ap50_by_class"]), abs=1e-3
    )
    _, table, _ = run("evaluate", "yolov3_tiny", "--images", str(tmp_path))
    assert "person" in table
    assert f"{report['ap50']:.3f}" in table
