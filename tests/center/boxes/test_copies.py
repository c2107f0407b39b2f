"""A copied box is an alarm until somebody has dealt with it, and again if the copy still speaks."""

from datetime import datetime

import pytest
from typer.testing import CliRunner

from center.boxes.keys import revoke
from center.cli import app
from tests.center.stage import BOX, NOW, TENANT, Box, Web, make_clock

CLONED = "may have been cloned"
HISTORY = "had been copied or set back"


def fork(web: Web, box: Box) -> Box:
    """The box and a copy of it each write a second record; the copy."""
    web.stage.hear(box.write(make_clock()).raw)
    twin = box.clone()
    web.stage.hear(box.write(make_clock(1)).raw)
    web.stage.hear(twin.write(make_clock(2)).raw)
    web.stage.clock.advance(hours=1)
    return twin


def told(web: Web) -> tuple[str, str, datetime | None]:
    """The page, the command line, and what the API says of when it was dealt with."""
    web.sign_in("officer-a")
    page = web.client.get("/devices").text
    said = CliRunner().invoke(app, ["devices", "--data", str(web.stage.office.settings.data)]).output
    (device,) = web.client.get("/api/v1/devices").json()
    ended = device["journals"][-1]["copy_ended_at"]
    return page, said, datetime.fromisoformat(ended) if ended else None


@pytest.mark.parametrize("is_shut_out", [True, False])
def test_a_copy_is_history_once_the_box_was_enrolled_anew_or_shut_out(
    web: Web, web_box: Box, *, is_shut_out: bool
) -> None:
    fork(web, web_box)
    page, said, ended_at = told(web)
    assert CLONED in page
    assert "dealt with" not in said
    assert ended_at is None

    web.stage.clock.advance(hours=1)
    if is_shut_out:
        with web.stage.office.database.writing() as session:
            revoke(session, tenant=TENANT, name=BOX, at=web.stage.clock())
    else:
        web.stage.enrol_box()
    page, said, ended_at = told(web)
    assert CLONED not in page
    assert HISTORY in page
    assert "dealt with on 2026-11-19 04:00:00 UTC" in said
    assert ended_at == web.stage.clock()


def test_a_copy_that_still_speaks_after_it_was_dealt_with_is_an_alarm_again(web: Web, web_box: Box) -> None:
    twin = fork(web, web_box)
    web.stage.enrol_box()
    web.stage.clock.advance(hours=1)
    web.stage.hear(twin.write(make_clock(3)).raw)
    page, _, ended_at = told(web)
    assert CLONED in page
    assert ended_at is None


def test_a_new_key_that_the_box_gave_itself_ends_no_copy(web: Web, web_box: Box) -> None:
    fork(web, web_box)
    web.stage.hear(web_box.rotate().raw)
    assert CLONED in told(web)[0]


def test_a_journal_without_forks_has_no_copy_to_end(web: Web, web_box: Box) -> None:
    web.stage.hear(web_box.write(make_clock(), at=NOW).raw)
    web.stage.enrol_box()
    page, _, ended_at = told(web)
    assert (CLONED in page, HISTORY in page, ended_at) == (False, False, None)
