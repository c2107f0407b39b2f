"""A lead's bundle, from records that a box signed to a file that a stranger checks with the centre's keys alone."""

import hashlib
import json
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import event

from alerts.bundles.container import Part, write_container
from alerts.bundles.faults import Fault
from alerts.bundles.proofs import PROOFS_NAME
from alerts.bundles.report import Check, Report
from alerts.bundles.seal import SEAL_NAME, Gap, member_of, read_seal, record_name, write_seal
from alerts.bundles.stamps import STAMP_NAME
from alerts.bundles.trust import Trust, read_trust, write_trust
from alerts.bundles.verification import verify_file
from alerts.messages import ClockQuality, FrameSize, Packets, Phase, Shortfall
from alerts.records import write_record
from alerts.redaction import Redaction
from center.boxes.distrust import distrust_beyond
from center.boxes.keys import revoke
from center.bundles.exporting import Sealer, export_bundle
from center.bundles.trusting import trust_of
from center.errors import BundleImpossible
from center.evidence.custody import Act, note_custody
from center.evidence.files import note_arrival
from center.evidence.recordings import Sealed, Source, add_recording, keep, seal
from center.evidence.redactions import Word, add_copy, say
from center.evidence.redactor import Redacted
from center.intake.filing import Outcome
from center.intake.quarantine import Limits
from center.log.heads import publish_head
from center.log.records import LogTimestamp
from center.log.stamping import Stamp, keep_stamp
from enforcement.actors import Actor, Role
from tests.center.memory import little_memory
from tests.center.stage import BOX, NOW, TENANT, Box, Stage, make_alert, make_artefact, make_clock, make_evidence

PICTURE, COPY, CLIP = b"\xff\xd8 sealed \xff\xd9" * 99, b"\xff\xd8 annotated \xff\xd9" * 99, b"\0\0\0 ftyp" * 999
CASE = f"{BOX}.i-1"
OFFICER = Actor("officer-a", Role.OFFICER)


@pytest.fixture
def told(stage: Stage, box: Box) -> Stage:
    """A lead of three revisions, its picture, copy and clip, and records of other things between them."""
    picture = make_artefact(PICTURE)
    copy = make_artefact(COPY, "annotated").model_copy(update={"derived_from": picture.sha256})
    for data in (
        make_clock(),
        make_alert(evidence=(picture,)),
        make_evidence(copy),
        make_alert(incident="i-2"),
        make_alert(2, Phase.UPDATED),
        make_evidence(make_artefact(CLIP, "clip").model_copy(update={"media_type": "video/mp4"})),
        make_clock(1),
        make_alert(3, Phase.CLOSED),
        make_clock(2),
    ):
        stage.hear(box.write(data).raw)
    return stage


def arrive(stage: Stage, *files: bytes) -> None:
    """These files are at the centre."""
    with stage.office.database.writing() as session:
        for data in files:
            stage.office.evidence.put(data)
            note_arrival(session, tenant=TENANT, sha256=hashlib.sha256(data).hexdigest(), at=NOW)


def export(stage: Stage, target: Path, case: str = CASE) -> Path:
    sealer = Sealer(TENANT, stage.office.keyring.signing_key, stage.office.evidence, stage.office.settings.data)
    with stage.office.database.writing() as session:
        publish_head(session, stage.office.notary, stage.clock())
    with stage.office.database.reading() as session, target.open("wb") as file:
        export_bundle(session, sealer, case, file, at=stage.clock())
    return target


def trust(stage: Stage) -> Trust:
    with stage.office.database.reading() as session:
        return trust_of(session, stage.office.notary, at=stage.clock())


def faults(report: Report) -> list[tuple[Check, Fault | None]]:
    return [(check, finding.fault) for check, finding in report.findings]


def test_a_bundle_holds_for_whoever_has_the_centres_keys(told: Stage, tmp_path: Path) -> None:
    arrive(told, PICTURE, COPY, CLIP)
    bundle = export(told, tmp_path / "bundle.zip")
    report = verify_file(bundle, trust(told), case=CASE)

    assert report.holds, report.lines("en")
    assert report.case == CASE
    assert {check: report.verdict(check) for check in Check} == dict.fromkeys(Check, True)
    with zipfile.ZipFile(bundle) as opened:
        assert opened.testzip() is None
        names = opened.namelist()
        assert names == sorted(names)
        contents = {hashlib.sha256(opened.read(name)).hexdigest() for name in names if name.startswith("files/")}
        assert contents == {hashlib.sha256(data).hexdigest() for data in (PICTURE, COPY, CLIP)}
        assert len([name for name in names if name.startswith("records/")]) == 7  # numbers 2 to 8
        assert SEAL_NAME in names
        assert "机动车违法停车" in opened.read("because.zh.txt").decode()
        assert opened.read("cover.pdf").startswith(b"%PDF-1.7")
        assert "Illegal parking" in opened.read("because.en.txt").decode()


def test_the_same_lead_at_the_same_time_gives_the_same_bytes(told: Stage, tmp_path: Path) -> None:
    first, second = export(told, tmp_path / "1.zip"), export(told, tmp_path / "2.zip")
    assert first.read_bytes() == second.read_bytes()


def test_files_that_have_not_come_or_are_damaged_are_told_and_reject_nothing(told: Stage, tmp_path: Path) -> None:
    arrive(told, PICTURE, COPY)
    sha256 = hashlib.sha256(COPY).hexdigest()
    (told.office.settings.evidence_folder / sha256[:2] / sha256).write_bytes(b"bit rot")
    report = verify_file(export(told, tmp_path / "bundle.zip"), trust(told))

    assert report.holds, report.lines("en")
    absent = {finding.values["sha256"] for finding in report.remarks if finding.code == "file_absent"}
    assert absent == {hashlib.sha256(data).hexdigest() for data in (COPY, CLIP)}


def test_that_a_clip_shows_less_than_it_was_to_stands_in_the_reasons_and_in_the_report(
    stage: Stage, box: Box, tmp_path: Path
) -> None:
    clip = make_artefact(CLIP, "clip").model_copy(update={"falls_short": (Shortfall.GAP, Shortfall.STALLED)})
    stage.hear(box.write(make_alert(phase=Phase.CLOSED)).raw)
    stage.hear(box.write(make_evidence(clip)).raw)
    arrive(stage, CLIP)
    bundle = export(stage, tmp_path / "bundle.zip")
    report = verify_file(bundle, trust(stage))

    assert report.holds, report.lines("en")
    (said,) = [finding for finding in report.remarks if finding.code == "clip_falls_short"]
    assert said.say("en").endswith("some of the pictures were lost; no more pictures came from the camera")
    assert said.say("zh").endswith("部分画面丢失；摄像机不再传来画面")
    name = "视频片段 · 所示少于应有内容：部分画面丢失 · 摄像机不再传来画面"
    assert f"- {name}: " in unpacked(bundle, "because.zh.txt")


def test_records_that_the_centre_lacks_are_told_and_reject_nothing(stage: Stage, box: Box, tmp_path: Path) -> None:
    stage.hear(box.write(make_alert()).raw)
    box.write(make_clock())  # never arrives
    stage.hear(box.write(make_alert(2, Phase.CLOSED)).raw)
    report = verify_file(export(stage, tmp_path / "bundle.zip"), trust(stage))

    assert report.holds, report.lines("en")
    assert "gap_told" in {finding.code for finding in report.remarks}


def test_a_bundle_that_is_continued_later_still_holds_as_it_was(stage: Stage, box: Box, tmp_path: Path) -> None:
    stage.hear(box.write(make_alert()).raw)
    early = export(stage, tmp_path / "early.zip")
    stage.clock.advance(minutes=5)
    stage.hear(box.write(make_alert(2, Phase.CLOSED), at=stage.clock()).raw)
    late = export(stage, tmp_path / "late.zip")

    for bundle in (early, late):
        assert verify_file(bundle, trust(stage)).holds
    assert "still_open" in {finding.code for finding in verify_file(early, trust(stage)).remarks}


def test_a_box_that_was_enrolled_anew_is_trusted_with_its_old_key_for_what_came_before(
    stage: Stage, box: Box, tmp_path: Path
) -> None:
    stage.hear(box.write(make_alert()).raw)
    stage.clock.advance(minutes=5)
    stage.enrol_box()

    assert verify_file(export(stage, tmp_path / "bundle.zip"), trust(stage)).holds


def test_an_incident_across_a_rotation_holds_and_after_a_revocation_up_to_the_last_trusted_record(
    stage: Stage, box: Box, tmp_path: Path
) -> None:
    for record in (box.write(make_alert()), box.rotate(), box.write(make_alert(2, Phase.CLOSED))):
        stage.hear(record.raw)
    bundle = export(stage, tmp_path / "bundle.zip")
    assert verify_file(bundle, trust(stage)).holds

    for last, expected in ((3, []), (2, ["record_past_trust"])):
        with stage.office.database.writing() as session:
            revoke(session, tenant=TENANT, name=BOX, at=stage.clock(), last=last)
        codes = [
            finding.code for check, finding in verify_file(bundle, trust(stage)).findings if check is Check.RECORDS
        ]
        assert codes == expected


def test_a_key_of_which_no_record_is_trusted_stands_in_the_file_of_keys_and_vouches_for_none(
    stage: Stage, box: Box
) -> None:
    stage.hear(box.write(make_alert()).raw)
    with stage.office.database.writing() as session:
        revoke(session, tenant=TENANT, name=BOX, at=stage.clock(), last=0)
    (key,) = read_trust(write_trust(trust(stage))).device_keys
    assert not key.speaks_at(box.epoch, 1)


def test_what_the_centre_did_not_take_of_the_incident_is_left_out_and_told(
    stage: Stage, box: Box, tmp_path: Path
) -> None:
    artefact = make_artefact(PICTURE)
    for data, outcome in (
        (make_alert(), Outcome.STORED),
        (make_alert(2, Phase.UPDATED, camera="cam-nowhere", evidence=(artefact,)), Outcome.QUARANTINED),
        (make_alert(2, Phase.CLOSED), Outcome.STORED),
    ):
        assert stage.hear(box.write(data).raw) is outcome
    report = verify_file(export(stage, tmp_path / "bundle.zip"), trust(stage))

    assert report.holds, report.lines("en")
    assert remarks(report)["gap_told"] == {"device": BOX, "first": 2, "last": 2}
    assert f"    the record 2 of {BOX} is not here; the seal says so" in report.lines("en")
    assert f"    {BOX} 的第 2 条记录不在包内；封印已注明" in report.lines("zh")


def members_of(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(bundle)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def unpacked(bundle: Path, name: str) -> str:
    with zipfile.ZipFile(bundle) as opened:
        return opened.read(name).decode()


def test_a_bundle_of_a_lead_that_lost_trust_says_so_to_readers_with_old_and_new_keys(
    stage: Stage, box: Box, tmp_path: Path
) -> None:
    for data in (make_alert(), make_clock(), make_alert(2, Phase.CLOSED)):
        stage.hear(box.write(data).raw)
    before = trust(stage)
    with stage.office.database.writing() as session:
        revoke(session, tenant=TENANT, name=BOX, at=stage.clock(), last=1)
        distrust_beyond(session, tenant=TENANT, device=BOX, limits=Limits(4096, 100), at=stage.clock())
    bundle = export(stage, tmp_path / "bundle.zip")

    old, new = verify_file(bundle, before), verify_file(bundle, trust(stage))

    assert [finding.code for _, finding in old.findings] == ["record_distrusted"]
    assert "gap_told" in {finding.code for finding in old.remarks}, "what else came with that key is left out, and told"
    assert "record_past_trust" in {finding.code for _, finding in new.findings}
    assert "Not to be relied on: It rests on record 3" in unpacked(bundle, "because.en.txt")
    assert "不可采信: 它依据设备日志的第 3 条记录" in unpacked(bundle, "because.zh.txt")


def test_a_box_whose_clock_was_never_set_is_told_of(stage: Stage, box: Box, tmp_path: Path) -> None:
    past = NOW - timedelta(days=20_000)
    alert = make_alert(clock=ClockQuality.UNSYNCHRONISED, observed_at=past, opened_at=past)
    stage.hear(box.write(alert, at=past).raw)
    report = verify_file(export(stage, tmp_path / "bundle.zip"), trust(stage))

    assert report.holds, report.lines("en")
    assert "clock_not_set" in {finding.code for finding in report.remarks}


@pytest.mark.parametrize(
    ("clock", "at"),
    [
        (ClockQuality.SYNCHRONISED, datetime(1, 1, 1, tzinfo=UTC)),
        (ClockQuality.SYNCHRONISED, NOW - timedelta(days=365)),
        (ClockQuality.SYNCHRONISED, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (ClockQuality.UNKNOWN, NOW + timedelta(minutes=6)),
    ],
)
def test_a_time_that_cannot_be_is_told_and_makes_no_bundle_that_the_centres_own_keys_reject(
    stage: Stage, box: Box, tmp_path: Path, clock: ClockQuality, at: datetime
) -> None:
    packets = Packets(
        first=1, last=1, take=0, first_ms=0, last_ms=0, first_at=at, last_at=at, codec="h264", decoder="avc 1"
    )
    picture = make_artefact(PICTURE).model_copy(update={"packets": packets})
    alert = make_alert(2, Phase.CLOSED, clock=clock, observed_at=at, opened_at=at, evidence=(picture,))
    stage.hear(box.write(make_alert()).raw)
    stage.hear(box.write(alert, at=at).raw)
    bundle = export(stage, tmp_path / "bundle.zip")
    report = verify_file(bundle, trust(stage))

    assert report.holds, report.lines("en")
    assert remarks(report)["odd_time_told"]["at"] == at.isoformat()
    assert f"The box wrote {at:%Y-%m-%d %H:%M:%S} UTC" in unpacked(bundle, "because.en.txt")
    assert f"设备所写的 {at:%Y-%m-%d %H:%M:%S} UTC" in unpacked(bundle, "because.zh.txt")


def add(told: Stage, recorded: bytes) -> Sealed:
    """An officer adds a recording of their own."""
    sealed = seal(BytesIO(recorded), max_bytes=2**20)
    keep(told.office.evidence, BytesIO(recorded), sealed)
    with told.office.database.writing() as session:
        add_recording(
            session,
            sealed,
            tenant=TENANT,
            lead_id=CASE,
            source=Source.HAND_HELD,
            note="the van from the side",
            taken_at=None,
            by=OFFICER,
            at=NOW,
        )
    return sealed


def test_what_an_officer_recorded_comes_along_and_is_told_apart(told: Stage, tmp_path: Path) -> None:
    film = b"\0\0\0\x18ftypmp42 by hand" * 40
    sealed = add(told, film)
    bundle = export(told, tmp_path / "bundle.zip")
    report = verify_file(bundle, trust(told))

    assert report.holds, report.lines("en")
    assert "added_by_officers" in {finding.code for finding in report.remarks}
    with zipfile.ZipFile(bundle) as opened:
        assert opened.read(f"recordings/{sealed.sha256}.mp4") == film
        assert sealed.sha256 in opened.read("because.en.txt").decode()
    (proof,) = json.loads(unpacked(bundle, PROOFS_NAME))["recordings"]
    assert proof["recording"] == sealed.sha256
    assert '"kind":"recording"' in proof["leaf"]
    assert export(told, tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def redacted(stage: Stage, data: bytes, original: bytes = PICTURE) -> str:
    """A copy of a picture, entered and looked at; nobody has released it yet."""
    told = Redaction(
        original_sha256=hashlib.sha256(original).hexdigest(),
        copy_sha256=stage.office.evidence.put(data),
        size_bytes=len(data),
        frame=FrameSize(width=640, height=480),
        covered=(),
        models={},
    )
    made = Redacted(data, told, told.model_dump_json(exclude_none=True))
    with stage.office.database.writing() as session:
        add_copy(session, made, tenant=TENANT, lead_id=CASE, reason="for the board", by=OFFICER, at=NOW)
        note_custody(
            session,
            tenant=TENANT,
            act=Act.VIEWED,
            sha256=told.copy_sha256,
            who=OFFICER.user_id,
            reason="to compare",
            at=NOW,
        )
    return told.copy_sha256


def release(stage: Stage, sha256: str) -> None:
    with stage.office.database.writing() as session:
        say(
            session,
            tenant=TENANT,
            lead_id=CASE,
            sha256=sha256,
            word=Word.RELEASE,
            reason="nobody can be told",
            by=OFFICER,
            at=NOW,
        )


def test_a_copy_of_a_recording_comes_along_as_long_as_the_recording_does(told: Stage, tmp_path: Path) -> None:
    picture = b"\xff\xd8\xff by hand" * 40
    sealed = add(told, picture)
    copy = redacted(told, b"\xff\xd8\xff covered", picture)
    release(told, copy)
    for name, is_there in (("before", True), ("after", False)):
        bundle = export(told, tmp_path / f"{name}.zip")
        report = verify_file(bundle, trust(told))
        assert report.holds, report.lines("en")
        with zipfile.ZipFile(bundle) as opened:
            assert (f"derivatives/{copy}.jpg" in opened.namelist()) is is_there
        told.office.evidence.remove(sealed.sha256)


def test_of_redacted_copies_only_released_ones_come_along_apart_from_what_is_evidence(
    told: Stage, tmp_path: Path
) -> None:
    arrive(told, PICTURE)
    released, waiting = redacted(told, b"\xff\xd8\xff released"), redacted(told, b"\xff\xd8\xff waiting")
    release(told, released)
    bundle = export(told, tmp_path / "bundle.zip")
    report = verify_file(bundle, trust(told))

    assert report.holds, report.lines("en")
    assert "redacted_copies" in {finding.code for finding in report.remarks}
    with zipfile.ZipFile(bundle) as opened:
        assert opened.read(f"derivatives/{released}.jpg") == b"\xff\xd8\xff released"
        assert not [name for name in opened.namelist() if waiting in name]
    (proof,) = json.loads(unpacked(bundle, PROOFS_NAME))["derivatives"]
    assert proof["derivative"] == released
    assert json.loads(proof["body"])["file"] == hashlib.sha256(PICTURE).hexdigest()
    assert export(told, tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_of_a_lead_that_is_not_there_no_bundle_is_made(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(BundleImpossible, match="there is no lead"):
        export(stage, tmp_path / "bundle.zip", case="nothing")


def test_copies_of_files_lie_beside_the_centres_data_while_a_bundle_is_made(
    told: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(told, PICTURE)
    folders: list[Path] = []
    fetch = told.office.evidence.fetch

    def fetch_noted(sha256: str, folder: Path) -> Path:
        folders.append(folder)
        return fetch(sha256, folder)

    monkeypatch.setattr(told.office.evidence, "fetch", fetch_noted)
    export(told, tmp_path / "bundle.zip")
    assert {folder.parent for folder in folders} == {told.office.settings.data}
    assert not any(folder.exists() for folder in folders)


FAR = 2**53 - 1
"""The highest number that a message may carry."""


def remarks(report: Report) -> dict[str, dict[str, object]]:
    return {finding.code: dict(finding.values) for finding in report.remarks}


def test_a_bundle_costs_what_there_is_of_it_whatever_numbers_a_box_writes(
    stage: Stage, box: Box, tmp_path: Path
) -> None:
    stage.hear(box.write(make_alert(FAR)).raw)
    stage.hear(box.write(make_alert(incident="i-2")).raw)
    last = write_record(
        make_alert(2, Phase.CLOSED, incident="i-2"),
        identity=box.identity,
        epoch=box.epoch,
        sequence=FAR,
        prevhash="a" * 64,
        at=NOW,
    )
    stage.hear(last.raw)
    with little_memory():
        reports = [
            verify_file(export(stage, tmp_path / f"{each}.zip", f"{BOX}.{each}"), trust(stage))
            for each in ("i-1", "i-2")
        ]

    assert [report.holds for report in reports] == [True, True], [report.lines("en") for report in reports]
    assert remarks(reports[0])["revisions_told"] == {"incident": "i-1", "first": 1, "last": FAR - 1}
    assert remarks(reports[1])["gap_told"] == {"device": BOX, "first": 3, "last": FAR - 1}


def test_revisions_that_never_came_are_told_and_one_that_is_taken_out_beside_them_is_missing(
    stage: Stage, box: Box, tmp_path: Path
) -> None:
    for revision in (3, 4, 6):
        stage.hear(box.write(make_alert(revision)).raw)
    bundle = export(stage, tmp_path / "bundle.zip")
    keys = trust(stage)
    assert [(each.values["first"], each.values["last"]) for each in verify_file(bundle, keys).remarks[:2]] == [
        (1, 2),
        (5, 5),
    ]

    key = stage.office.keyring.signing_key
    members = members_of(bundle.read_bytes())
    seal = read_seal(members[SEAL_NAME], {key.key_id: key.verify_key}.get).data
    gone = seal.records[1]
    del members[record_name(gone.device, gone.epoch, gone.sequence, gone.sha256)]
    parts = [Part.of(name, data) for name, data in members.items() if name != SEAL_NAME]
    told = seal.model_copy(
        update={
            "members": tuple(map(member_of, parts)),
            "records": tuple(each for each in seal.records if each != gone),
            "gaps": (Gap(device=gone.device, epoch=gone.epoch, first=gone.sequence, last=gone.sequence),),
        }
    )
    parts.append(Part.of(SEAL_NAME, write_seal(told, key=key, tenant=TENANT, at=stage.clock())))
    with bundle.open("wb") as file:
        write_container(file, parts)
    assert [finding.code for _, finding in verify_file(bundle, keys).findings] == ["revisions_missing"]


@pytest.mark.parametrize("is_first_greater", [True, False])
def test_what_two_boxes_of_one_identity_told_differently_comes_along_and_is_called_rival(
    stage: Stage, box: Box, tmp_path: Path, *, is_first_greater: bool
) -> None:
    stage.hear(box.write(make_alert()).raw)
    twin = box.clone()
    told = [box.write(make_alert(2, Phase.CLOSED)), twin.write(make_alert(2, Phase.CLOSED, zone="elsewhere"))]
    for record in sorted(told, key=lambda record: record.sha256, reverse=is_first_greater):
        stage.hear(record.raw)
        stage.clock.advance(minutes=1)
    bundle = export(stage, tmp_path / "bundle.zip")
    report = verify_file(bundle, trust(stage))

    assert report.holds, report.lines("en")
    assert remarks(report)["rivals"] == {"incident": "i-1", "device": BOX, "count": 1, "first": 2}
    assert "rival records" in "".join(report.lines("en"))
    assert "相互矛盾的记录" in "".join(report.lines("zh"))
    names = [name for name in members_of(bundle.read_bytes()) if name.startswith("records/")]
    assert len(names) == 3
    for tongue in ("en", "zh"):
        assert all(name in unpacked(bundle, f"because.{tongue}.txt") for name in names[1:])


def test_an_incident_in_two_journals_of_a_box_comes_from_both(stage: Stage, box: Box, tmp_path: Path) -> None:
    again = Box(box.identity, "epoch-2")
    for record in (box.write(make_alert()), again.write(make_alert(zone="elsewhere"))):
        stage.hear(record.raw)
        stage.clock.advance(minutes=1)
    report = verify_file(export(stage, tmp_path / "bundle.zip"), trust(stage))

    assert report.holds, report.lines("en")
    assert {"rivals", "several_journals"} <= remarks(report).keys()


def test_files_that_a_record_announced_before_the_alert_came_are_in_the_bundle(
    stage: Stage, box: Box, tmp_path: Path
) -> None:
    alert, announcement = box.write(make_alert()), box.write(make_evidence(make_artefact(PICTURE)))
    stage.hear(announcement.raw)
    arrive(stage, PICTURE)
    stage.clock.advance(minutes=1)
    stage.hear(alert.raw)
    report = verify_file(export(stage, tmp_path / "bundle.zip"), trust(stage))
    assert report.holds, report.lines("en")


def test_of_many_stamps_an_export_reads_the_first_that_covers_the_case(told: Stage, box: Box, tmp_path: Path) -> None:
    for number in range(5):
        with told.office.database.writing() as session:
            head = publish_head(session, told.office.notary, told.clock())
            at = told.clock() + timedelta(hours=number)
            keep_stamp(session, head, Stamp(f"stamp {number}".encode(), at, "https://tsa.example.cn/"))
        told.hear(box.write(make_clock(number)).raw)
    read: list[LogTimestamp] = []

    def note(stamp: LogTimestamp, _context: object) -> None:
        read.append(stamp)

    event.listen(LogTimestamp, "load", note)
    try:
        bundle = export(told, tmp_path / "bundle.zip")
    finally:
        event.remove(LogTimestamp, "load", note)
    with zipfile.ZipFile(bundle) as members:
        assert members.read(STAMP_NAME) == b"stamp 0"
    assert len(read) == 1
