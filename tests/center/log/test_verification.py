"""`teawatch center log verify`: what was altered, removed or inserted is found, wherever it was."""

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from alerts.checkpoints import Checkpoint, write_checkpoint
from center.boxes.keys import revoke
from center.cli import app
from center.log.heads import Notary
from center.log.tree import head_of
from center.log.verification import verify_log
from tests.center.log.scene import fill, intruder, publish, verify
from tests.center.stage import BOX, TENANT, Box, Stage, make_clock

FORGED_RECORD = (
    "INSERT INTO journal SELECT tenant, device, epoch, 99, 'ff', prevhash, type, key_id, event_time, received_at,"
    " disposition, fork, raw FROM journal WHERE sequence = 9"
)
FORGED_LOOK = (
    "INSERT INTO custody_event SELECT tenant, 'ff', act, sha256, lead_id, person, reason, at, made_sha256"
    " FROM custody_event LIMIT 1"
)
FORGED_KEY = (
    "INSERT INTO device_key SELECT tenant, 'ed25519:ff', device, verify_key, since, retired_at, ending,"
    " rotation_asked_at FROM device_key LIMIT 1"
)


@pytest.fixture
def filled(stage: Stage, box: Box) -> Stage:
    fill(stage, box)
    return stage


def test_a_log_that_nobody_touched_holds(filled: Stage) -> None:
    report = verify(filled)
    assert (report.troubles, report.leaves, report.heads, report.erased) == ([], 25, 2, 0)


def test_an_empty_log_holds(stage: Stage) -> None:
    assert verify(stage).holds
    publish(stage)
    assert verify(stage).holds


@pytest.mark.parametrize(
    ("deed", "complaint"),
    [
        ("UPDATE log_leaf SET kind = 'review' WHERE number = 3", "leaf 3 was altered"),
        ("UPDATE log_leaf SET kind = 'gossip' WHERE number = 3", "leaf 3 was altered"),
        ("UPDATE log_leaf SET commitment = zeroblob(32) WHERE number = 0", "leaf 0 was altered"),
        ("UPDATE log_leaf SET at = '2020-01-01 00:00:00.000000' WHERE number = 24", "leaf 24 was altered"),
        ("UPDATE log_leaf SET hash = zeroblob(32) WHERE number = 7", "leaf 7 was altered"),
        ("DELETE FROM log_leaf WHERE number = 5", "leaf 5 is missing"),
        ("DELETE FROM log_leaf WHERE number = 24", "covers leaves that are not here"),
        ("DELETE FROM log_leaf WHERE number = 24", "meaning stands there for leaf 24"),
        (
            "INSERT INTO log_leaf SELECT tenant, 25, kind, at, commitment, hash FROM log_leaf WHERE number = 1",
            "head does not fit its 26 leaves: one was inserted",
        ),
        ("UPDATE log_node SET hash = zeroblob(32)", "hash kept for leaves 0 to 15"),
        ("DELETE FROM log_node", "hash kept for leaves 0 to 15 is missing"),
        (
            "INSERT INTO log_node SELECT tenant, level, 7, hash FROM log_node",
            "kept for leaves 112 to 127, which are not",
        ),
        ("UPDATE log_head SET size = 24", "head does not fit"),
        ("UPDATE log_checkpoint SET root = zeroblob(32)", "says something else than its signed text"),
        ("UPDATE log_checkpoint SET text = replace(text, '25', '24')", "was altered"),
        ("UPDATE log_opening SET body = replace(body, 'stored', 'STORED')", "is said to mean was altered"),
        ("UPDATE log_opening SET salt = zeroblob(32) WHERE number = 2", "leaf 2 is said to mean was altered"),
        ("UPDATE log_opening SET kind = 'key' WHERE kind = 'custody'", "is of another kind"),
        ("DELETE FROM log_opening WHERE number = 4", "leaf 4 means was removed, and no entry"),
        ("UPDATE journal SET raw = raw || ' ' WHERE sequence = 9", "was altered"),
        ("UPDATE journal SET disposition = 'quarantined' WHERE sequence = 9", "was altered"),
        ("UPDATE journal SET received_at = '2020-01-01 00:00:00.000000' WHERE sequence = 9", "was altered"),
        ("DELETE FROM journal WHERE sequence = 9", "is not here any more: it was removed"),
        ("DELETE FROM journal", "is not here any more: it was removed"),
        (FORGED_RECORD, "record ff is not in the log: it was inserted"),
        ("UPDATE journal SET raw = CAST(raw || ' ' AS BLOB) WHERE sequence = 9", "was altered"),
        ("UPDATE quarantine SET reason = 'unsigned'", "quarantine .* was altered"),
        ("DELETE FROM quarantine", "quarantine .* it was removed"),
        ("UPDATE custody_event SET reason = 'none'", "custody .* was altered"),
        ("DELETE FROM custody_event", "custody .* it was removed"),
        (FORGED_LOOK, "custody ff is not in the log: it was inserted"),
    ],
)
def test_whatever_was_altered_removed_or_inserted_is_found(filled: Stage, deed: str, complaint: str) -> None:
    with intruder(filled) as session:
        assert session.execute(text(deed)).rowcount  # type: ignore[attr-defined]
    troubles = "\n".join(verify(filled).troubles)
    assert re.search(complaint, troubles), troubles


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE key_reach SET last = last + 1 WHERE last IS NOT NULL",
        "UPDATE key_reach SET last = NULL",
        "UPDATE key_reach SET first = 1 WHERE first > 1",
        "DELETE FROM key_reach WHERE first > 1",
        "INSERT INTO key_reach SELECT tenant, key_id, 'epoch-2', 1, 9 FROM key_reach WHERE last IS NOT NULL",
        "UPDATE device_key SET ending = '', retired_at = NULL WHERE ending = 'rotated'",
        "UPDATE device_key SET retired_at = '2020-01-01 00:00:00.000000' WHERE ending = 'rotated'",
        "UPDATE device_key SET since = '2020-01-01 00:00:00.000000'",
        "UPDATE device_key SET verify_key = 'nonsense'",
        "UPDATE device_key SET verify_key = (SELECT max(verify_key) FROM device_key)",
        "UPDATE pseudonym SET pseudonym = 'd-0' WHERE kind = 'device'",
        FORGED_KEY,
    ],
)
@pytest.mark.parametrize("is_shut_out", [False, True])
def test_a_key_that_vouches_for_more_less_or_otherwise_than_the_log_says_is_found(
    stage: Stage, box: Box, deed: str, is_shut_out: bool
) -> None:
    for record in (box.write(make_clock(1)), box.rotate(), box.write(make_clock(2))):
        stage.hear(record.raw)
    if is_shut_out:
        with stage.office.database.writing() as session:
            revoke(session, tenant=TENANT, name=BOX, at=stage.clock(), last=1)
    assert verify(stage).troubles == []
    with intruder(stage) as session:
        changed = session.execute(text(deed)).rowcount  # type: ignore[attr-defined]
    assert any(trouble.startswith("key ") for trouble in verify(stage).troubles) == bool(changed)


def test_a_log_rewritten_with_its_heads_by_who_has_the_key_is_found_by_a_head_pinned_elsewhere(
    filled: Stage,
) -> None:
    pinned = publish(filled).text
    with intruder(filled) as session:
        for log in ("log_leaf", "log_node", "log_checkpoint", "log_opening", "log_head"):
            session.execute(text(f"DELETE FROM {log}"))
        for table in ("journal", "custody_event", "quarantine", "device_key"):
            session.execute(text(f"DELETE FROM {table}"))
    assert verify(filled).holds, "of itself nothing tells"
    assert verify(filled, pinned).troubles == [
        "the head of 25 leaves pinned elsewhere covers leaves that are not here: the log has 0"
    ]


def test_a_head_signed_over_another_log_is_found(filled: Stage) -> None:
    notary = filled.office.notary
    forged = write_checkpoint(Checkpoint(notary.origin, 5, bytes(32)), notary.key)
    assert any("has another root" in trouble for trouble in verify(filled, forged).troubles)
    foreign = write_checkpoint(Checkpoint("other/log", 5, bytes(32)), notary.key)
    assert any("not signed by" in trouble for trouble in verify(filled, foreign).troubles)


def test_another_name_or_key_does_not_open_what_was_published(filled: Stage) -> None:
    office = filled.office
    with office.database.reading() as session:
        report = verify_log(session, Notary(TENANT, "renamed/log", office.keyring.signing_key))
    assert len(report.troubles) == 2


def test_the_command_says_it_in_one_line_each_and_by_its_exit_status(filled: Stage, tmp_path: Path) -> None:
    data = ["--data", str(filled.office.settings.data)]
    runner = CliRunner()
    holds = runner.invoke(app, ["log", "verify", *data, "--json"])
    assert holds.exit_code == 0, holds.output
    assert json.loads(holds.stdout.splitlines()[-1]) == {
        "holds": True,
        "leaves": 25,
        "heads": 2,
        "pinned": 0,
        "stamps": 0,
        "erased": 0,
        "troubles": [],
    }
    head = tmp_path / "head.txt"
    head.write_text(runner.invoke(app, ["log", "head", *data]).stdout)
    assert "25 leaves" in runner.invoke(app, ["log", "verify", *data, "--pinned", str(head)]).stdout
    with intruder(filled) as session:
        session.execute(text("UPDATE journal SET raw = raw || ' ' WHERE sequence = 9"))
    broken = runner.invoke(app, ["log", "verify", *data])
    assert broken.exit_code == 1
    assert "does not hold: record" in broken.stdout
    missing = runner.invoke(app, ["log", "verify", *data, "--pinned", str(tmp_path / "nothing")])
    assert missing.exit_code == 1
    assert f"{tmp_path / 'nothing'}: cannot be read: No such file or directory" in missing.stderr


def test_verifying_changes_nothing(filled: Stage) -> None:
    with filled.office.database.reading() as session:
        before = head_of(session, TENANT)
    verify(filled)
    with filled.office.database.reading() as session:
        assert head_of(session, TENANT) == before
