"""Time-stamps: another authority's word, kept only when it holds."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rfc3161_client import decode_timestamp_response
from typer.testing import CliRunner

from center.cli import app
from center.errors import StampRefused
from center.log.records import LogTimestamp
from center.log.stamping import fetch_stamp, load_roots
from tests.center.log.authority import Authority, make_authority, serving
from tests.center.log.scene import publish
from tests.center.stage import Box, Stage, make_clock

pytestmark = pytest.mark.system("openssl")


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    folder = tmp_path / "tsa"
    folder.mkdir()
    with serving(folder) as opened:
        yield opened


def stamp(stage: Stage, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["timestamp", "--data", str(stage.office.settings.data), *options])
    return result.exit_code, result.output


def test_a_head_is_stamped_and_anybodys_openssl_verifies_what_was_kept(
    stage: Stage, box: Box, authority: Authority, tmp_path: Path
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


def test_nobody_is_asked_unless_somebody_is_configured(stage: Stage) -> None:
    code, told = stamp(stage)
    assert (code, "no time-stamping authority is configured" in told) == (1, True)


def test_a_stamp_that_does_not_lead_to_the_configured_root_is_not_kept(
    stage: Stage, authority: Authority, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    make_authority(other, "somebody else")
    code, told = stamp(stage, "--url", authority.url, "--roots", str(other / "root.pem"))
    assert (code, "does not hold" in told) == (1, True), told
    assert stage.all(LogTimestamp) == []


def test_an_authority_that_is_down_or_not_there_or_talks_nonsense_is_said_in_one_line(
    authority: Authority, tmp_path: Path
) -> None:
    roots = load_roots(authority.roots)
    for url in (authority.url + "/not", "http://127.0.0.1:1/", "http://[/"):
        with pytest.raises(StampRefused, match="no time-stamp") as caught:
            fetch_stamp("text", url=url, roots=roots)
        assert "\n" not in str(caught.value)
    (tmp_path / "no.pem").write_text("nothing")
    with pytest.raises(StampRefused, match="no certificates"):
        load_roots(tmp_path / "no.pem")
