"""The commands of the centre: what they print, and one line for everything that is wrong."""

import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alerts.enrolment import Code
from alerts.keys import SigningKey
from center.cli import app
from tests.alerts.brokers import free_port
from tests.center.stage import Box, Stage, make_clock, make_settings


def call(*arguments: object, given: str = "") -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=given, prog_name="teawatch center")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The demo county's data folder."""
    return make_settings(tmp_path / "centre").data


def test_init_makes_a_centre_that_is_nobody_elses_and_again_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "centre"

    first = call("init", "--data", folder, "--tenant", "lake-county")
    second = call("init", "--data", folder)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "'lake-county'" in first.stdout
    assert first.stdout == second.stdout, "the same key, the same tenant"
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / "secrets").iterdir()} == {0o600}


def test_a_tenant_is_settled_once(data: Path) -> None:
    done = call("init", "--data", data, "--tenant", "another")
    assert done.exit_code == 1
    assert "the tenant here is 'demo-county' and cannot become 'another'" in done.stderr


def test_enrol_prints_a_code_of_this_centre_and_nothing_else_on_standard_output(data: Path) -> None:
    done = call("enrol", "box-07", "--data", data, "--valid-minutes", 5)

    code = Code.parse(done.stdout)
    assert code.fingerprint == SigningKey.load(data / "secrets" / "center.key").verify_key.fingerprint
    assert "5 minutes" in done.stderr


def test_accounts_are_made_listed_and_reset(data: Path) -> None:
    made = call("user", "add", "officer-09", "--role", "officer", "--data", data)
    name, password = made.stdout.split()
    given = call("user", "add", "officer-10", "--password-stdin", "--data", data, given="a long password\n")
    reset = call("user", "reset", "officer-09", "--data", data)

    assert (name, len(password)) == ("officer-09", 19)
    assert (given.exit_code, given.stdout) == (0, "")
    assert reset.stdout.split()[1] != password
    listed = call("user", "list", "--data", data).stdout
    assert "officer-09\tofficer\tmay sign in" in listed


def test_an_account_is_shut_out_and_let_in_again(data: Path) -> None:
    said = []
    for command in ("disable", "enable"):
        assert call("user", command, "officer-a", "--data", data).exit_code == 0
        listed = call("user", "list", "--data", data).stdout.splitlines()
        said.append(next(line for line in listed if line.startswith("officer-a")))

    assert said == ["officer-a\tofficer\tdisabled", "officer-a\tofficer\tmay sign in"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "add", "x", "--role", "hed"), "no role 'hed'; did you mean 'head'? There is: officer, head"),
        (("user", "add", "head"), "an account named 'head' exists already"),
        (("user", "reset", "nobody"), "no account named 'nobody'"),
        (("user", "disable", "nobody"), "no account named 'nobody'"),
        (("enrol", "a box"), "'a box' cannot be a box's name"),
        (("enrol", "teawatch-center"), "is the centre's own name at the broker"),
        (("revoke", "box-nowhere"), "no box named 'box-nowhere'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(data: Path, arguments: tuple[str, ...], said: str) -> None:
    done = call(*arguments, "--data", data)

    assert done.exit_code == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("teawatch center: ")
    assert said in line


def test_a_wrong_setting_stops_every_command_with_one_line(data: Path) -> None:
    (data / "center.yaml").write_text("tennant: x\n")
    for command in (("init",), ("enrol", "box-1"), ("serve",), ("user", "list"), ("devices",)):
        done = call(*command, "--data", data)
        assert done.exit_code == 1
        assert "unknown key 'tennant'; did you mean 'tenant'?" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_short_password_is_refused(data: Path) -> None:
    done = call("user", "add", "x", "--password-stdin", "--data", data, given="short\n")
    assert done.exit_code == 1
    assert "at least 10 characters" in done.stderr


def test_devices_and_broker_users_of_a_new_centre_are_empty(data: Path) -> None:
    devices, users = (call(command, "--data", data) for command in ("devices", "broker-users"))
    assert [devices.stdout, users.stdout] == ["", ""]
    assert "no box is enrolled yet; teawatch center enrol NAME" in devices.stderr


def test_devices_tells_what_is_missing_and_who_was_copied(stage: Stage, box: Box) -> None:
    box.write(make_clock(1))
    twin = box.clone()
    box.write(make_clock(2))
    for record in (box.write(make_clock(3)), twin.write(make_clock(8)), twin.write(make_clock(9))):
        stage.hear(record.raw)
    assert call("devices", "--data", stage.office.settings.data).stdout.splitlines()[1:] == [
        "  journal epoch-1: not here yet: 1",
        "  journal epoch-1: 1 records share a number: the box was copied or set back",
    ]


def test_a_taken_port_ends_the_start_with_one_line(data: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port, free = taken.getsockname()[1], free_port()
        for ports in (("--port", port), ("--port", free, "--mqtt-port", port), ("--port", free, "--mqtt-port", free)):
            done = call("serve", "--data", data, *ports)
            assert done.exit_code == 1
            (line,) = done.stderr.strip().splitlines()
            assert line.startswith("teawatch center: p")
            assert "--mqtt-port" in line or "--port" in line
