"""Time-stamps: another authority's word, kept only when it holds."""

import base64
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rfc3161_client import decode_timestamp_response
from sqlalchemy import text
from typer.testing import CliRunner

from alerts.errors import StampRejected
from alerts.stamps import check_stamp, load_roots
from center.bundles.bench.authority import Authority
from center.cli import app
from center.errors import StampRefused
from center.log.records import LogTimestamp
from center.log.stamping import Stamp, fetch_stamp, keep_stamp
from tests.center.log.authority import Served, serving
from tests.center.log.scene import intruder, publish, verify
from tests.center.stage import NOW, Box, Stage, Web, make_clock

pytestmark = pytest.mark.system("openssl")


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "tsa"
    folder.mkdir()
    with serving(folder) as opened:
        yield opened


def stamp(stage: Stage, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["timestamp", "--data", str(stage.office.settings.data), *options])
    return result.exit_code, result.output


def test_a_head_is_stamped_and_anybodys_openssl_verifies_what_was_kept(
    stage: Stage, box: Box, authority: Served, tmp_path: Path
) -> None:
    stage.hear(box.write(make_clock()).raw)
    code, told = stamp(stage, "--url", authority.url, "--roots", str(authority.roots))
    assert (code, "the head of 2 leaves is stamped" in told) == (0, True), told
    (kept,) = stage.all(LogTimestamp)
    assert abs(kept.stamped_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert decode_timestamp_response(kept.response).tst_info.gen_time == kept.stamped_at

    (tmp_path / "head").write_text(publish(stage).text)
    (tmp_path / "stamp").write_bytes(kept.response)
    command = ["openssl", "ts", "-verify", "-data", "head", "-in", "stamp", "-CAfile", str(authority.roots)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout + done.stderr


def test_a_stamp_is_shown_wherever_the_head_is_and_no_password_of_its_address(
    web: Web, web_box: Box, authority: Served, tmp_path: Path
) -> None:
    stage = web.stage
    stage.hear(web_box.write(make_clock()).raw)
    address = authority.url.replace("127.0.0.1", "county:secret@127.0.0.1")
    code, told = stamp(stage, "--url", address, "--roots", str(authority.roots))
    assert code == 0, told
    (shown,) = web.client.get("/api/v1/log/stamps").json()
    text = shown["head"].encode()
    assert (shown["size"], shown["authority"]) == (2, "127.0.0.1")
    at = check_stamp(base64.b64decode(shown["answer"]), text, load_roots(authority.roots))
    assert datetime.fromisoformat(shown["stamped_at"]) == at
    assert web.client.get("/api/v1/log/stamps", params={"first": 3}).json() == []
    data = ["--data", str(stage.office.settings.data)]
    listed = CliRunner().invoke(app, ["log", "stamps", *data, "-o", str(tmp_path / "stamps")]).output
    assert "2 leaves  127.0.0.1" in listed
    assert {path.read_bytes() for path in (tmp_path / "stamps").glob("*.txt")} == {text}
    digest = CliRunner().invoke(app, ["digest", *data]).output
    assert "An outside authority (127.0.0.1) stamped this head" in digest
    assert "外部时间戳机构（127.0.0.1）" in digest
    assert "secret" not in listed + digest + str(shown)


def test_a_stamp_that_was_exchanged_in_the_database_is_found(stage: Stage, box: Box, authority: Served) -> None:
    stage.hear(box.write(make_clock()).raw)
    assert stamp(stage, "--url", authority.url, "--roots", str(authority.roots))[0] == 0
    assert (verify(stage).stamps, verify(stage).troubles) == (1, [])
    with intruder(stage) as session:
        session.execute(text("UPDATE log_timestamp SET stamped_at = '2020-01-01 00:00:00.000000'"))
    (trouble,) = verify(stage).troubles
    assert trouble.startswith("the time-stamp of 2020-01-01 00:00:00 UTC on 2 leaves: it is of ")
    with intruder(stage) as session:
        session.execute(text("UPDATE log_timestamp SET response = zeroblob(9)"))
    assert "cannot be read" in verify(stage).troubles[0]


def test_several_stamps_within_one_second_are_kept_and_shown_each(stage: Stage, box: Box, tmp_path: Path) -> None:
    stage.hear(box.write(make_clock()).raw)
    head = publish(stage)
    for answer in (b"one", b"two", b"three"):
        with stage.office.database.writing() as session:
            keep_stamp(session, head, Stamp(answer, NOW, "https://tsa.example.cn/"))
    assert {kept.response for kept in stage.all(LogTimestamp)} == {b"one", b"two", b"three"}
    data = ["--data", str(stage.office.settings.data)]
    CliRunner().invoke(app, ["log", "stamps", *data, "-o", str(tmp_path / "stamps")])
    assert {path.read_bytes() for path in (tmp_path / "stamps").glob("*.tsr")} == {b"one", b"two", b"three"}


def test_an_authority_whose_clock_is_another_gives_no_stamp_that_would_contradict_the_log(authority: Served) -> None:
    late = datetime.now(UTC) + timedelta(minutes=10)
    with pytest.raises(StampRefused, match=r"clock and this machine's are (59\d|60\d) s apart"):
        fetch_stamp("text", url=authority.url, roots=load_roots(authority.roots), now=late)


def test_nobody_is_asked_unless_somebody_is_configured(stage: Stage) -> None:
    code, told = stamp(stage)
    assert (code, "no time-stamping authority is configured" in told) == (1, True)


def test_a_stamp_that_does_not_lead_to_the_configured_root_is_not_kept(
    stage: Stage, authority: Served, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Authority.make(other, "somebody else")
    code, told = stamp(stage, "--url", authority.url, "--roots", str(other / "root.pem"))
    assert (code, "does not hold" in told) == (1, True), told
    assert stage.all(LogTimestamp) == []


def test_an_authority_that_is_down_or_not_there_or_talks_nonsense_is_said_in_one_line(
    authority: Served, tmp_path: Path
) -> None:
    roots = load_roots(authority.roots)
    for url in (authority.url + "/not", "http://127.0.0.1:1/", "http://[/"):
        with pytest.raises(StampRefused, match="no time-stamp") as caught:
            fetch_stamp("text", url=url, roots=roots, now=datetime.now(UTC))
        assert "\n" not in str(caught.value)
    (tmp_path / "no.pem").write_text("nothing")
    with pytest.raises(StampRejected, match="no certificates"):
        load_roots(tmp_path / "no.pem")
