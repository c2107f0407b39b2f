"""The deployment kit lays out a box, again and again to the same result, and takes it away without a trace."""

import configparser
import os
import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from edge.cli import app

REPOSITORY = Path(__file__).parents[2]
KIT = REPOSITORY / "jetson"
UNIT = KIT / "teawatch-edge.service"
SCRIPTS = ("install.sh", "teawatch-box.sh")

# Stands in for Python and pip, so that the test needs no network: writes down what it is asked.
RECORDER = """#!/bin/sh
echo "$*" >>"{log}"
if [ "$1 $2" = "-m venv" ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi
"""


class Kit:
    """The installation script at work on a root of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.log = folder / "asked.txt"
        self.python = folder / "python3"
        self.python.write_text(RECORDER.format(log=self.log))
        self.python.chmod(0o755)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(KIT / "install.sh"), "--root", str(self.root), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def install(self, *arguments: str) -> str:
        done = self.run("--python", str(self.python), *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def files(self) -> dict[str, str]:
        """Every file below the root with its rights; made folders of the system itself left out."""
        return {
            str(path.relative_to(self.root)): stat.filemode(path.stat().st_mode)
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path)


def test_installing_lays_out_the_program_unit_limits_configuration_and_tool(kit: Kit) -> None:
    kit.install()
    assert kit.files() == {
        "etc/systemd/journald.conf.d/teawatch.conf": "-rw-r--r--",
        "etc/systemd/system/teawatch-edge.service": "-rw-r--r--",
        "etc/teawatch/edge.yaml": "-rw-r-----",
        "etc/teawatch/secrets.env": "-rw-------",
        "opt/teawatch/bin/python": "-rwxr-xr-x",
        "opt/teawatch/guide.md": "-rw-r--r--",
        "opt/teawatch/sample.yaml": "-rw-r--r--",
        "usr/local/sbin/teawatch-box": "-rwxr-xr-x",
    }
    assert stat.filemode((kit.root / "var/lib/teawatch").stat().st_mode) == "drwx------"


def test_installing_prints_the_next_steps_in_their_order(kit: Kit) -> None:
    told = kit.install()
    places = [told.index(step) for step in ("1. enrol", "2. watch", "3. check", "4. start")]
    assert places == sorted(places)


def test_packages_come_pinned_and_hashed_and_the_product_itself_without_an_index(kit: Kit) -> None:
    kit.install()
    asked = kit.log.read_text().splitlines()
    packages, product = [line for line in asked if line.startswith("-m pip install")]
    assert f"--require-hashes -r {REPOSITORY}/requirements/edge.txt" in packages
    assert "--no-deps --no-build-isolation --no-index" in product
    assert str(REPOSITORY) in product


def test_a_place_without_the_internet_installs_from_a_folder(kit: Kit, tmp_path: Path) -> None:
    kit.install("--wheels", str(tmp_path / "wheels"))
    packages = next(line for line in kit.log.read_text().splitlines() if "--require-hashes" in line)
    assert f"--no-index --find-links {tmp_path}/wheels" in packages


def test_installing_again_keeps_configuration_secrets_and_records(kit: Kit) -> None:
    kit.install()
    own = {"etc/teawatch/edge.yaml": "mine", "etc/teawatch/secrets.env": "P=1", "var/lib/teawatch/outbox.db": "unsent"}
    for name, text in own.items():
        (kit.root / name).write_text(text)
    before = kit.files()
    kit.install()
    assert kit.files() == before
    assert {name: (kit.root / name).read_text() for name in own} == own


def test_uninstalling_keeps_what_only_this_box_has(kit: Kit) -> None:
    kit.install()
    (kit.root / "var/lib/teawatch/outbox.db").write_text("unsent")
    done = kit.run("--uninstall")
    assert done.returncode == 0
    assert "records" in done.stdout
    assert set(kit.files()) == {"etc/teawatch/edge.yaml", "etc/teawatch/secrets.env", "var/lib/teawatch/outbox.db"}


@pytest.mark.parametrize("installed", [True, False])
def test_purging_leaves_nothing_and_may_be_repeated(installed: bool, kit: Kit) -> None:
    kit.root.mkdir()
    if installed:
        kit.install()
    for _ in range(2):
        assert kit.run("--uninstall", "--purge").returncode == 0
    assert [path for path in kit.root.rglob("*") if "teawatch" in path.name] == []
    assert kit.files() == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--colour",), "no option called '--colour'; see --help"),
        (("--python",), "--python needs a value"),
        (("--purge",), "--purge goes with --uninstall"),
        (("--pipelines",), "--pipelines installs on this machine only, not under --root"),
        (("--python", "/bin/false"), "needs Python 3.11 or later with venv"),
    ],
)
def test_a_wrong_call_is_one_line_and_changes_nothing(arguments: tuple[str, ...], message: str, kit: Kit) -> None:
    done = kit.run(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"teawatch: {message}")
    assert done.stderr.count("\n") == 1
    assert not kit.root.exists()


def test_help_explains_every_option(kit: Kit) -> None:
    told = kit.run("--help").stdout
    options = set(re.findall(r"^    ([-a-z| ]+)\)", (KIT / "install.sh").read_text(), re.MULTILINE))
    named = {option for group in options for option in group.split(" | ") if option.startswith("--")}
    assert named > {"--root", "--uninstall", "--purge"}
    assert [option for option in named - {"--help"} if option not in told] == []


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_scripts_are_valid_for_plain_and_better_shells(script: str, shell: str) -> None:
    assert subprocess.run([shell, "-n", str(KIT / script)], capture_output=True, check=False).stderr == b""


def test_the_tool_explains_itself_and_refuses_what_it_does_not_know() -> None:
    tool = ["sh", str(KIT / "teawatch-box.sh")]
    told = subprocess.run(tool, capture_output=True, text=True, check=True).stdout
    assert all(word in told for word in ("enrol", "check", "start", "status", "log"))
    refused = subprocess.run([*tool, "explode"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "no command called 'explode'" in refused.stderr


def test_a_name_of_a_secret_reaches_the_program_as_a_name(tmp_path: Path) -> None:
    for name, body in (("id", "echo 0"), ("systemd-run", 'printf "%s\\n" "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    address = "rtsp://${CAMERA_LOGIN}@10.0.0.7/a b?x=1&y=%40"
    done = subprocess.run(
        ["sh", str(KIT / "teawatch-box.sh"), "probe", address, "--json"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CAMERA_LOGIN": "viewer:secret"},
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout.splitlines()
    assert said[said.index("edge") + 1 :] == ["probe", address.replace("$", "$$"), "--json"]


def unit() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] - systemd's keys are mixed case
    parser.read_string(UNIT.read_text())
    return parser["Service"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "notify"),
        ("User", "teawatch"),
        ("Restart", "always"),
        ("WatchdogSec", "60"),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("DevicePolicy", "closed"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
        ("StateDirectory", "teawatch"),
        ("StateDirectoryMode", "0700"),
        ("LogRateLimitBurst", "300"),
        ("MemoryMax", "75%"),
    ],
)
def test_the_service_runs_without_rights_within_limits_and_comes_back(key: str, value: str) -> None:
    assert unit()[key] == value


def test_unit_tool_and_guide_speak_of_the_places_the_script_makes(kit: Kit) -> None:
    kit.install()
    made = {f"/{name}" for name in kit.files()} | {"/opt/teawatch/bin/teawatch", "/opt/teawatch", "/var/lib/teawatch"}
    for name in ("teawatch-edge.service", "teawatch-box.sh", "guide.md"):
        text = (KIT / name).read_text()
        named = set(re.findall(r"(?<![\w.])/(?:opt|etc|var/lib)/[\w./-]*teawatch[\w./-]*\b", text))
        assert named
        assert named <= made | {"/opt/teawatch/guide.md"}


def test_cameras_on_usb_and_graphics_processors_are_the_only_devices_that_can_be_opened() -> None:
    allowed = re.findall(r"^DeviceAllow=(\S+) rw$", UNIT.read_text(), re.MULTILINE)
    assert set(allowed) == {"char-video4linux", "char-media", "char-drm", "char-nvidia*", "char-nvhost*"}
    assert "PrivateDevices" not in unit()


def test_the_tool_passes_on_only_commands_of_the_program_and_explains_all_it_knows() -> None:
    text = (KIT / "teawatch-box.sh").read_text()
    known = re.search(r"^(enrol \|.*)\) ;;$", text, re.MULTILINE)
    passed_on = re.search(r'^(.*)\) as_box "\$command" "\$@" ;;$', text, re.MULTILINE)
    assert known
    assert passed_on
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    assert set(passed_on[1].split(" | ")) == {"discover", "probe", "top", "reference"}
    assert set(passed_on[1].split(" | ")) <= set(group.commands)
    told = subprocess.run(["sh", str(KIT / "teawatch-box.sh")], capture_output=True, text=True, check=True).stdout
    assert [command for command in known[1].split(" | ") if not re.search(rf"\b{command}\b", told)] == []


@pytest.mark.parametrize("name", ["teawatch-edge.service", "teawatch-box.sh"])
def test_every_command_line_of_the_kit_is_one_the_program_understands(name: str) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    lines = re.findall(r"(?:teawatch edge|as_box) ([a-z]+)( [^\n;\"]*)", (KIT / name).read_text())
    assert lines
    for command, arguments in lines:
        given = shlex.split(arguments)
        if command == "enrol":
            given += ["--center", "https://centre.example", "--code", "TW1-A-B"]
        group.commands[command].make_context(command, given)


@pytest.mark.system("systemd")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE)
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace("file:///opt/teawatch/guide.md", "https://example.org/"))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    assert UNIT.name not in done.stderr
    assert "Unknown" not in done.stderr
