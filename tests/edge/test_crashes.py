"""kill -9 at many moments: still exactly one incident each, and every record in the chain."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.records import FIRST_PREVHASH, Record
from tests.edge.parts import Bench, make_identity, post
from tests.edge.replay import Clip

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def saved_clip(clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "vtest.npz"
    clip.save(path)
    return path


def crash(saved_clip: Path, folder: Path, mode: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.edge.crashing", str(saved_clip), str(folder), mode],
        cwd=ROOT,
        check=True,
        timeout=110,
    )


def records_of(state: Path) -> list[Record]:
    bench = Bench(state, Identity.load(state), [post("stationary", dwell_s=20)])
    bench.outbox = Outbox.open(state / "outbox.sqlite3", identity=bench.identity)
    records = bench.records()
    bench.stop()
    return records


def assert_one_incident_each(records: list[Record]) -> None:
    alerts = [record.data for record in records if record.data.TYPE == "teawatch.alert.v1"]
    assert Counter(alert.phase.value for alert in alerts)["opened"] == 2
    assert len({alert.incident for alert in alerts}) == 2
    assert not [alert for alert in alerts if alert.phase == "closed"]
    for incident in {alert.incident for alert in alerts}:
        revisions = [alert.revision for alert in alerts if alert.incident == incident]
        assert revisions == list(range(1, len(revisions) + 1))
    copies = [record.data.incident for record in records if record.data.TYPE == "teawatch.evidence.v1"]
    assert sorted(copies) == sorted({alert.incident for alert in alerts})
    assert_chained(records)


def assert_chained(records: list[Record]) -> None:
    before = FIRST_PREVHASH
    for number, record in enumerate(records, start=1):
        assert (record.sequence, record.prevhash) == (number, before)
        before = record.sha256


def test_a_box_killed_a_dozen_times_in_a_row_still_has_one_incident_each(saved_clip: Path, tmp_path: Path) -> None:
    crash(saved_clip, tmp_path, "in-a-row")
    assert_one_incident_each(records_of(tmp_path))


def test_a_box_killed_before_any_single_write_still_has_one_incident_each(saved_clip: Path, tmp_path: Path) -> None:
    crash(saved_clip, tmp_path, "everywhere")
    states = sorted(tmp_path.iterdir())
    assert len(states) > 20
    for state in states:
        assert_one_incident_each(records_of(state))


CONFIG = """
cameras:
  - id: cam-1
    url: {url}
    pace: fast
    detections_per_s: 3
    zones: [{{id: everything, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}}]
    rules: [{{id: stationary, rule: stationary, zone: everything, parameters: {{dwell_s: 3}}}}]
"""


def test_the_real_command_killed_at_several_moments_still_has_one_incident_each(
    short_clip: Path, tmp_path: Path
) -> None:
    config, state = tmp_path / "box.yaml", tmp_path / "state"
    config.write_text(CONFIG.format(url=short_clip))
    make_identity().save(state)
    for moment in ("started", "incident_opened", "evidence_queued", ""):
        assert run_until(moment, config, state) == (-signal.SIGKILL if moment else 0)
    assert_one_incident_each(records_of(state))


def run_until(event: str, config: Path, state: Path) -> int:
    """Run the box, kill it at the first such event; its exit code. Without an event it runs to the end."""
    command = [sys.executable, "-m", "teawatch", "edge", "run", str(config), "--state", str(state)]
    environment = {**os.environ, "TEAWATCH_EDGE_DRAIN_S": "0"}
    with subprocess.Popen(
        [*command, "--events", "--until-end"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as box:
        assert box.stdout is not None
        for line in box.stdout:
            if event and json.loads(line)["event"] in (event, "incident_updated"):
                box.kill()
                break
        box.stdout.read()
        return box.wait(60)
