"""Bundles that were tampered with: the matter is named, in both languages, and nothing is a traceback."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from alerts.bundles.container import Part
from alerts.bundles.faults import Fault
from alerts.bundles.findings import LINES, Finding
from alerts.bundles.proofs import PROOFS_NAME, RecordProof, write_proofs
from alerts.bundles.report import Check, Report
from alerts.bundles.seal import SEAL_NAME, UntrustedRecord, derivative_name, record_name, recording_name
from alerts.bundles.stamps import STAMP_NAME, STAMPED_NAME
from alerts.bundles.trust import KeySpan, Trust, read_trust, write_trust
from alerts.bundles.verification import verify_file
from alerts.errors import TrustUnusable
from alerts.keys import SigningKey
from alerts.records import hash_of
from center.bundles.bench import insiders, outsiders
from center.bundles.bench.centre import Case
from center.bundles.bench.command import run
from center.bundles.bench.mutations import MUTATIONS
from center.bundles.bench.scene import Scene, open_scene
from center.bundles.bench.victims import Members, Victim, pack, seal_of, with_members


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with open_scene(1) as opened:
        yield opened


@dataclass
class Judge:
    """Bundles of the scene as a reader gets them."""

    scene: Scene
    path: Path

    def case(self, name: str = "box-1.i-1") -> Case:
        return next(case for case in self.scene.cases if case.id == name)

    def victim(self, name: str = "box-1.i-1", other: str = "box-2.i-1") -> Victim:
        return Victim(self.scene, self.case(name), self.case(other), Random(5))

    def judge(self, raw: bytes, trust: Trust | None = None, case: str = "") -> Report:
        self.path.write_bytes(raw)
        return verify_file(self.path, trust or self.scene.trust, case=case)

    def codes(self, raw: bytes, trust: Trust | None = None, case: str = "") -> set[str]:
        return {finding.code for _, finding in self.judge(raw, trust, case).findings}


@pytest.fixture
def judge(scene: Scene, tmp_path: Path) -> Judge:
    return Judge(scene, tmp_path / "bundle.zip")


def names(members: Members, folder: str) -> list[str]:
    return [name for name in members if name.startswith(folder)]


def test_every_case_holds_and_each_way_to_tamper_with_one_is_seen(scene: Scene, tmp_path: Path) -> None:
    tally = run(scene, tmp_path / "bundle.zip", 130, Random(3))
    assert tally.missed == []
    assert tally.rejected == 0
    assert tally.intact == len(scene.cases)
    assert set(tally.made) == set(MUTATIONS)


def delete(folder: str, at: int = -1) -> Callable[[Victim], bytes]:
    def change(victim: Victim) -> bytes:
        members = victim.members
        del members[names(members, folder)[at]]
        return pack(members)

    return change


def alter(folder: str) -> Callable[[Victim], bytes]:
    def change(victim: Victim) -> bytes:
        members = victim.members
        name = names(members, folder)[0]
        return pack(members | {name: members[name][:-1] + b"!"})

    return change


def cut_last_record(victim: Victim) -> bytes:
    members, seal = victim.members, seal_of(victim.members, victim.scene)
    end = seal.ends[0]
    del members[record_name(end.device, end.epoch, end.sequence, end.record_sha256)]
    return pack(members)


def resealed(victim: Victim, members: Members, **told: object) -> bytes:
    """The centre's key seals these members, and says this of them."""
    seal = seal_of(victim.members, victim.scene).model_copy(update=told)
    return pack(with_members(victim, members, seal, victim.scene.centre))


def retold_recording(victim: Victim) -> bytes:
    (told,) = seal_of(victim.members, victim.scene).recordings
    return resealed(victim, victim.members, recordings=(told.model_copy(update={"taken_at": None}),))


def other_recording(victim: Victim) -> bytes:
    members, (told,) = victim.members, seal_of(victim.members, victim.scene).recordings
    del members[recording_name(told.sha256, told.media_type)]
    film = b"another film"
    members[recording_name(hash_of(film), told.media_type)] = film
    return resealed(victim, members, recordings=(told.model_copy(update={"sha256": hash_of(film)}),))


def unproven(victim: Victim) -> bytes:
    return resealed(victim, victim.members | {PROOFS_NAME: write_proofs(())})


def without_log(victim: Victim) -> bytes:
    return resealed(victim, {name: data for name, data in victim.members.items() if not name.startswith("log/")})


def log_of_nothing(victim: Victim) -> bytes:
    proofs = len(json.loads(victim.members[PROOFS_NAME])["proofs"])
    return resealed(victim, victim.members | {PROOFS_NAME: write_proofs(())}, unlogged=proofs, unlogged_recordings=1)


@pytest.mark.parametrize(
    ("tamper", "code", "fault"),
    [
        (alter("files/"), "member_altered", Fault.ALTERED),
        (alter("records/"), "member_altered", Fault.ALTERED),
        (alter("because"), "member_altered", Fault.ALTERED),
        (delete("files/"), "member_missing", Fault.MISSING),
        (delete("records/", 0), "record_lost", Fault.MISSING),
        (delete(SEAL_NAME), "no_seal", Fault.MISSING),
        (cut_last_record, "end_cut", Fault.CUT),
        (outsiders.reorder_members, "members_reordered", Fault.REORDERED),
        (outsiders.reorder_records, "record_misplaced", Fault.REORDERED),
        (outsiders.add_member, "member_added", Fault.ADDED),
        (outsiders.add_twice, "twice", Fault.FORM),
        (outsiders.forge_seal, "seal_stranger", Fault.WRONG_KEY),
        (outsiders.forge_all, "seal_stranger", Fault.WRONG_KEY),
        (outsiders.rewrite_seal, "seal_altered", Fault.ALTERED),
        (insiders.forge, "record_of_another", Fault.SWAPPED),
        (insiders.splice, "chain_gap", Fault.SPLICED),
        (insiders.cut, "end_missing", Fault.CUT),
        (insiders.backdate, "received_after_seal", Fault.TIME),
        (retold_recording, "log_recording", Fault.LOG),
        (other_recording, "log_lacks_recording", Fault.LOG),
        (unproven, "log_lacks", Fault.LOG),
        (without_log, "log_missing", Fault.MISSING),
        (log_of_nothing, "log_of_nothing", Fault.MISSING),
    ],
)
def test_the_matter_is_named(judge: Judge, tamper: Callable[[Victim], bytes], code: str, fault: Fault) -> None:
    report = judge.judge(tamper(judge.victim()))
    found = {finding.code: finding for _, finding in report.findings}

    assert code in found, report.lines("en")
    assert found[code].fault is fault
    assert report.exit_status == 1
    for language in ("en", "zh"):
        assert found[code].say(language) in "\n".join(report.lines(language))


def retold_copy(victim: Victim, **change: object) -> bytes:
    (told,) = seal_of(victim.members, victim.scene).derivatives
    return resealed(victim, victim.members, derivatives=(told.model_copy(update=change),))


def other_copy(victim: Victim) -> bytes:
    members, (told,) = victim.members, seal_of(victim.members, victim.scene).derivatives
    del members[derivative_name(told.sha256, told.media_type)]
    data = b"another picture"
    members[derivative_name(hash_of(data), told.media_type)] = data
    return resealed(victim, members, derivatives=(told.model_copy(update={"sha256": hash_of(data)}),))


def test_a_redacted_copy_is_of_a_file_of_its_case_and_as_the_log_has_it(judge: Judge) -> None:
    victim = judge.victim("box-1.i-2")
    assert judge.judge(victim.case.raw).holds
    files = [name.rpartition("-")[2][:64] for name in victim.members if name.startswith("files/annotated")]
    for raw, code in (
        (retold_copy(victim, derived_from="a" * 64), "derivative_of_nothing"),
        (retold_copy(victim, derived_from=files[0]), "log_derivative"),
        (retold_copy(victim, made_at=victim.scene.trust.written_at), "log_derivative"),
        (other_copy(victim), "log_lacks_derivative"),
        (delete("derivatives/")(victim), "member_missing"),
        (resealed(victim, victim.members, derivatives=()), "file_foreign"),
    ):
        report = judge.judge(raw)
        assert code in {finding.code for _, finding in report.findings}, report.lines("en")


def test_only_who_asks_not_to_look_for_the_log_gets_a_bundle_without_it_to_hold(judge: Judge) -> None:
    judge.path.write_bytes(without_log(judge.victim()))
    report = verify_file(judge.path, judge.scene.trust, needs_log=False)

    assert report.holds, report.lines("en")
    assert report.verdict(Check.LOG) is None
    assert "no_log" in {finding.code for finding in report.remarks}


def test_the_report_begins_with_what_must_be_compared_with_what_was_told(judge: Judge) -> None:
    report = judge.judge(judge.case("box-1.i-3").raw)
    key = judge.scene.centre.key_id
    assert report.lines("en")[:4] == [
        "Case: box-1.i-3",
        "Sealed: 2026-04-05 12:49:00 UTC",
        "Last revision of incident i-3: 2 (going on)",
        f"Fingerprint of the centre's key: {key}",
    ]
    assert report.lines("zh")[:4] == [
        "案件：box-1.i-3",
        "封存时间：2026-04-05 12:49:00 UTC",
        "事件 i-3 的最后一版：第 2 版（进行中）",
        f"中心密钥的指纹：{key}",
    ]
    assert report.facts("en")["ends"] == [{"incident": "i-3", "revision": 2, "phase": "updated"}]


def test_where_the_seal_fails_no_case_is_named_and_the_form_is_judged_all_the_same(judge: Judge) -> None:
    victim = judge.victim()
    report = judge.judge(outsiders.forge_seal(victim))
    assert report.lines("en")[0].startswith("No seal that can be trusted")
    assert (report.verdict(Check.FORM), report.verdict(Check.SEAL)) == (True, False)
    raw = pack(victim.members)
    at = raw.index(victim.members["because.en.txt"])
    spoilt = raw[:at] + b"!" + raw[at + 1 :]
    before, _, after = spoilt.rpartition(b'"alg":"ed25519"')  # the seal's
    assert judge.codes(before + b'"alg":"ed25510"' + after) == {"crc", "seal_unreadable"}


@pytest.mark.parametrize("seal", [b"[" * 2**20, b'{"payload":' * 2**16, b'{"payload":' + b"9" * 2**20 + b"}"])
def test_a_seal_that_nobody_would_write_is_unreadable_in_plain_words(judge: Judge, seal: bytes) -> None:
    report = judge.judge(pack(judge.victim().members | {SEAL_NAME: seal}))
    assert [finding.code for _, finding in report.findings] == ["seal_unreadable"]
    assert "sys." not in "".join(report.lines("en"))


def test_the_bundle_of_another_case_is_not_taken_for_this_one(judge: Judge) -> None:
    other = judge.case("box-2.i-1")
    assert judge.judge(other.raw).holds
    assert judge.codes(other.raw, case="box-1.i-1") == {"other_case"}


def test_keys_inside_a_bundle_prove_nothing(judge: Judge) -> None:
    forged = outsiders.forge_seal(judge.victim())
    assert b"keys.json" in forged
    assert judge.codes(forged) == {"seal_stranger"}


def changed(trust: Trust, device: str, **fields: object) -> Trust:
    keys = tuple(key.model_copy(update=fields) if key.device == device else key for key in trust.device_keys)
    return trust.model_copy(update={"device_keys": keys})


def test_a_revoked_key_is_good_up_to_its_last_trusted_record_and_not_beyond(judge: Judge) -> None:
    raw, trust = judge.case().raw, judge.scene.trust
    last = seal_of(judge.victim().members, judge.scene).records[-1].sequence

    for until, expected in ((last, set()), (last - 1, {"record_past_trust"}), (None, set())):
        spans = (KeySpan(epoch="bench", first=1, last=until),)
        assert judge.codes(raw, changed(trust, "box-1", spans=spans)) & {"record_past_trust"} == expected
    retired = changed(trust, "box-1", retired_at=trust.written_at)
    assert "record_past_trust" in judge.codes(raw, retired)


def test_what_the_centre_itself_trusts_no_more_does_not_hold_with_older_keys_either(judge: Judge) -> None:
    victim = judge.victim()
    end = seal_of(victim.members, victim.scene).ends[0]
    raw = resealed(victim, victim.members, untrusted=(UntrustedRecord(sha256=end.record_sha256, last=2),))
    report = judge.judge(raw)

    assert [finding.code for _, finding in report.findings] == ["record_distrusted"]
    assert "records up to 2 only" in "\n".join(report.lines("en"))
    assert "仅在第 2 条及之前可信" in "\n".join(report.lines("zh"))


def test_a_recording_that_the_log_did_not_have_yet_is_told_and_rejects_nothing(judge: Judge) -> None:
    victim = judge.victim()
    proofs = json.loads(victim.members[PROOFS_NAME])
    records = tuple(RecordProof.model_validate_json(json.dumps(each)) for each in proofs["proofs"])
    assert len(proofs["recordings"]) == 1
    kept = write_proofs(records, stamped=proofs.get("stamped", ()))
    report = judge.judge(resealed(victim, victim.members | {PROOFS_NAME: kept}, unlogged_recordings=1))

    assert report.holds, report.lines("en")
    assert "log_waits_for_recordings" in {finding.code for finding in report.remarks}


def test_a_record_from_before_its_box_was_enrolled_cannot_be(judge: Judge) -> None:
    trust = judge.scene.trust
    late = changed(trust, "box-1", enrolled_at=trust.written_at)
    assert "before_enrolment" in judge.codes(judge.case().raw, late)


def test_a_seal_from_outside_the_time_of_the_centres_key_is_not_trusted(judge: Judge) -> None:
    trust = judge.scene.trust
    key = trust.centre_keys[0].model_copy(update={"until": trust.written_at - timedelta(days=1)})
    assert judge.codes(judge.case().raw, trust.model_copy(update={"centre_keys": (key,)})) == {"seal_out_of_time"}


def test_the_head_of_an_unknown_log_is_not_trusted_nor_one_that_no_key_of_the_reader_is_for(judge: Judge) -> None:
    trust, raw = judge.scene.trust, judge.case().raw
    foreign = trust.log_keys[0].replace("teawatch/bench-county", "teawatch/other")
    assert judge.codes(raw, trust.model_copy(update={"log_keys": (foreign,)})) == {"log_stranger"}
    keyless = trust.model_copy(update={"log_keys": ()})
    assert judge.codes(raw, keyless) == {"log_key_missing"}
    report = verify_file(judge.path, keyless, needs_log=False)
    assert report.holds
    assert report.verdict(Check.LOG) is None
    assert "no_log_key" in {finding.code for finding in report.remarks}


def told_of_stamp(victim: Victim, members: Members, **change: object) -> bytes:
    stamp = seal_of(victim.members, victim.scene).stamp
    assert stamp is not None
    return resealed(victim, members, stamp=stamp.model_copy(update=change))


@pytest.mark.system("openssl")
def test_a_stamp_counts_for_who_has_its_roots_and_only_over_an_earlier_head_of_this_log(judge: Judge) -> None:
    victim = judge.victim()
    members, roots = victim.members, judge.scene.roots
    stamped, answer = members[STAMPED_NAME], members[STAMP_NAME]
    told = seal_of(members, judge.scene).stamp
    assert told is not None
    received = max(each.received_at for each in seal_of(members, judge.scene).records)
    for raw, given, code, fault in (
        (victim.case.raw, roots, "stamp_holds", None),
        (victim.case.raw, (), "stamp_unchecked", None),
        (judge.case("box-2.i-3").raw, roots, "stamp_none", None),
        (told_of_stamp(victim, members | {STAMP_NAME: answer[:-9]}), roots, "stamp_bad", Fault.LOG),
        (told_of_stamp(victim, members | {STAMP_NAME: b"?" * 70_000}), roots, "stamp_bad", Fault.LOG),
        (
            told_of_stamp(victim, members | {STAMP_NAME: judge.scene.strange_stamps[stamped]}),
            roots,
            "stamp_bad",
            Fault.LOG,
        ),
        (told_of_stamp(victim, members, at=told.at - timedelta(seconds=1)), roots, "stamp_bad", Fault.LOG),
        (told_of_stamp(victim, members, at=received - timedelta(hours=1)), (), "received_after_stamp", Fault.TIME),
        (told_of_stamp(victim, members, size=told.size - 1), roots, "stamp_elsewhere", Fault.LOG),
        (told_of_stamp(victim, members | {STAMPED_NAME: b"a head"}), roots, "stamp_elsewhere", Fault.LOG),
        (
            told_of_stamp(victim, {name: data for name, data in members.items() if name != STAMP_NAME}),
            roots,
            "stamp_lost",
            Fault.MISSING,
        ),
    ):
        judge.path.write_bytes(raw)
        report = verify_file(judge.path, judge.scene.trust, roots=given)
        said = {each.code: each for each in (*report.remarks, *(finding for _, finding in report.findings))}
        assert code in said, report.lines("en")
        assert (said[code].fault, report.holds) == (fault, fault is None), report.lines("en")


def test_the_file_of_keys_is_read_as_it_was_written_and_nonsense_is_refused_in_a_line(judge: Judge) -> None:
    trust = judge.scene.trust
    raw = write_trust(trust)
    assert read_trust(raw) == trust
    stranger = SigningKey.generate().verify_key
    swapped = raw.replace(trust.centre_keys[0].key.encode(), stranger.to_text().encode())
    for bad in (b"", b"{}", b"[]", b"\xff", raw[:-3], raw.replace(b'"tenant"', b'"county"'), swapped):
        with pytest.raises(TrustUnusable) as caught:
            read_trust(bad)
        assert "\n" not in str(caught.value)


def test_every_line_is_there_in_both_languages_with_the_same_places() -> None:
    for code, line in LINES.items():
        places = [set(re.findall(r"%\((\w+)\)s", text)) for text in (line.words.en, line.words.zh)]
        assert places[0] == places[1], code
        for values in (dict.fromkeys(places[0], "x"), {place: place for place in places[0]}):
            finding = Finding(code, values)
            assert finding.say("en") != finding.say("zh")


def test_the_command_says_what_holds_and_ends_with_0_or_1(judge: Judge, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(write_trust(judge.scene.trust))
    judge.path.write_bytes(judge.case().raw)

    def command(*more: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "teawatch", "verify", str(judge.path), "--keys", str(keys), *more]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    good = command("--lang", "zh")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.endswith("证据包完好。\n")
    judge.path.write_bytes(judge.case().raw[:-5])
    bad = command("--json")
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["findings"][0]["fault"] == "cut"
    judge.path.unlink()
    gone = command()
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr == f"teawatch verify: {judge.path}: the file cannot be read: No such file or directory\n"
    os.mkfifo(judge.path)
    assert "save it as a file first" in command().stderr
    words = [sys.executable, "-m", "teawatch", "verify", str(judge.path)]
    keyless = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (keyless.returncode, "--keys FILE is missing" in keyless.stderr) == (1, True)


def test_a_terminal_without_chinese_gets_the_report_too_and_what_a_file_says_cannot_steer_one(
    judge: Judge, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(write_trust(judge.scene.trust))
    seal = judge.victim().members[SEAL_NAME].replace(judge.scene.centre.key_id.encode(), b"\x1b[2J")
    judge.path.write_bytes(pack(judge.victim().members | {SEAL_NAME: seal.replace(b"\x1b", b"\\u001b")}))
    words = [sys.executable, "-m", "teawatch", "verify", str(judge.path), "--keys", str(keys), "--lang", "zh"]
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    said = subprocess.run(words, capture_output=True, timeout=60, check=False, env=environment)
    assert (said.returncode, said.stderr) == (1, b"")
    assert b"\x1b" not in said.stdout
    assert b"\\u4e2d\\u5fc3" in said.stdout
    assert "\x1b" not in Finding("seal_stranger", {"key": "\x1b[2J"}).say("en")


FAR = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@pytest.mark.parametrize("at", FAR)
def test_times_at_the_ends_of_the_calendar_are_judged_like_any_other(judge: Judge, at: datetime) -> None:
    victim = judge.victim()
    seal = seal_of(victim.members, victim.scene)
    moved = tuple(each.model_copy(update={"received_at": at}) for each in seal.records)
    changed_seal = seal.model_copy(update={"records": moved})
    sealed = with_members(victim, victim.members, changed_seal, victim.scene.centre)
    assert {finding.fault for _, finding in judge.judge(pack(sealed)).findings} == {Fault.TIME}


def test_a_part_knows_its_hash_wherever_its_bytes_lie(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"the same")
    assert Part.of("a", b"the same").sha256 == Part.of("a", tmp_path / "file").sha256
