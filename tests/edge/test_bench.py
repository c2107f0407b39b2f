"""The box's bench measures what it says."""

import json
import subprocess
import sys
from pathlib import Path


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "teawatch", "bench", "edge", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)


def test_one_pass_of_vtest_prints_a_ratio_to_the_bare_network_and_its_incidents(vtest: Path) -> None:
    done = bench(vtest, "--quick", "--json", "--only", "street")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said["looks"] == 2 * 40
    assert 0 < said["ratio"] < 1.5
    assert said["street_ceiling_fps"] > 0
    assert said["incidents"]["street.illegal_parking"] == 2


def test_a_missing_clip_is_one_line(tmp_path: Path) -> None:
    done = bench(tmp_path / "nothing.avi")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("no such file")
