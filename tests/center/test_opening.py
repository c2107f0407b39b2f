"""Only `init` and the demo make a centre: a mistyped folder is said, not filled."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.center.test_cli import call


@pytest.mark.parametrize(
    "command", [("serve",), ("enrol", "box-1"), ("devices",), ("user", "list"), ("broker-users",), ("revoke", "box-1")]
)
def test_a_folder_without_a_centre_is_said_and_stays_as_it_is(tmp_path: Path, command: tuple[str, ...]) -> None:
    folder = tmp_path / "typo"

    done = call(*command, "--data", folder)

    assert done.exit_code == 1
    assert done.stderr == (f"teawatch center: no centre in {folder}; teawatch center init --data {folder} makes one\n")
    assert not folder.exists()


def test_settings_written_before_init_are_not_a_centre_yet(tmp_path: Path) -> None:
    (tmp_path / "center.yaml").write_text("tenant: lake-county\n")

    before = call("serve", "--data", tmp_path)
    made = call("init", "--data", tmp_path)
    after = call("devices", "--data", tmp_path)

    assert (before.exit_code, made.exit_code, after.exit_code) == (1, 0, 0)
    assert "'lake-county'" in made.stdout


def test_a_database_that_fails_while_it_is_used_is_said_in_one_line(tmp_path: Path) -> None:
    call("init", "--data", tmp_path)
    with closing(sqlite3.connect(tmp_path / "center.sqlite3")) as database:
        database.execute("DROP TABLE device")

    done = call("devices", "--data", tmp_path)

    assert done.exit_code == 1
    assert done.stderr == "teawatch center: the database did not answer: no such table: device\n"
