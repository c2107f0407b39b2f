"""The `teawatch` command itself: it knows its rooms and enters none before it is asked to."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_importing_the_front_door_loads_neither_box_nor_centre() -> None:
    code = "import sys, teawatch; print(sorted(m for m in sys.modules if m.split('.')[0] in ('edge', 'center')))"
    assert run("-c", code).stdout.strip() == "[]"


def test_help_names_every_room_without_entering_one() -> None:
    said = run("-m", "teawatch", "--help")
    assert said.returncode == 0
    for room in ("demo", "edge", "center", "verify", "models", "bench"):
        assert room in said.stdout


def blocking(allowed: set[str], entry: str) -> str:
    """Python code that imports `entry` while every distribution outside `allowed` is invisible."""
    return f"""
import importlib.metadata, sys
allowed = {allowed!r}
hidden = {{module for module, owners in importlib.metadata.packages_distributions().items()
          if not any(owner.lower().replace('_', '-').replace('.', '-') in allowed for owner in owners)}}
class Curtain:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in hidden:
            raise ModuleNotFoundError(f'hidden: {{name}}', name=name)
sys.meta_path.insert(0, Curtain())
import {entry}
"""


def locked(name: str) -> set[str]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    return {
        line.partition("==")[0].partition("[")[0].replace("_", "-").replace(".", "-") for line in lines if "==" in line
    }


@pytest.mark.parametrize(
    ("extra", "entry", "needs"),
    [
        ("edge", "edge.cli, edge.composition, models.cli", "onnxruntime"),
        ("center", "center.cli, center.app", "fastapi"),
    ],
)
def test_each_half_imports_with_only_its_own_extra(extra: str, entry: str, needs: str) -> None:
    assert needs in locked(extra)
    done = run("-c", blocking(locked(extra) | {"teawatch"}, entry))
    assert done.returncode == 0, done.stderr[-800:]


def test_checking_a_bundle_needs_neither_box_nor_centre_installed() -> None:
    needed = {"cryptography", "cffi", "pycparser", "pydantic", "pydantic-core", "annotated-types", "typing-inspection"}
    shell = {"typing-extensions", "typer", "click", "rich", "markdown-it-py", "mdurl", "pygments", "shellingham"}
    code = blocking(needed | shell | {"annotated-doc", "teawatch"}, "alerts.bundles.command")
    done = run("-c", code + "print(sorted({'center', 'edge', 'yaml', 'httpx'} & set(sys.modules)))")
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr[-800:]


def test_a_missing_extra_is_said_in_one_line() -> None:
    code = blocking(locked("edge") | {"teawatch"}, "teawatch; teawatch.app(['center', 'serve'])")
    done = run("-c", code)
    assert done.returncode == 1
    assert "pip install 'teawatch[center]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_locks_pin_hashes_and_name_no_index() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text


def test_the_agpl_trainer_is_in_no_lock_that_ships() -> None:
    for name in ("edge", "center", "demo", "dev"):
        assert "ultralytics" not in locked(name)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not any("ultralytics" in need for need in project["dependencies"])
