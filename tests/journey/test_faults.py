"""Pulling plugs: kill -9 of the centre, its broker and the box, in the middle of watching real footage."""

from pathlib import Path

import pytest

from center.demo.processes import wait_until
from tests.journey.county import PATIENCE_S, County, only_street, open_county, settled

LOOKS = 3
"""After a restart: two looks later what was not recognised would have stood beyond its limit, and been told anew."""

pytestmark = pytest.mark.timeout(400)


def test_kills_of_centre_broker_and_box_lose_nothing_and_double_nothing(vtest: Path, tmp_path: Path) -> None:
    with open_county(tmp_path) as county:
        county.open_center()
        county.enrol_box()
        browser = county.browser()
        county.start_box(vtest, only_street(dwell_s=4))
        county.events.wait_for("connected")
        county.kill_center()
        county.events.wait_for("incident_opened", 2)
        _restart_center(county)
        settled(county, browser, leads=2)

        county.broker().kill()
        county.kill_box()
        assert county.box is not None
        assert wait_until(lambda: county.box is not None and county.box.exit_code is not None, timeout_s=10)
        county.box.start()
        county.events.wait_for("started", 2)
        county.events.wait_for("connected", 3)
        county.events.wait_for("seen", len(county.events.named("seen")) + LOOKS)
        device = settled(county, browser, leads=2)

        leads = browser.items("/api/v1/leads")
        tasks = browser.items("/api/v1/tasks")
        assert len(leads) == 2, "one for the van, one for the car, however often everything died"
        assert sorted(task["lead_id"] for task in tasks) == sorted(lead["id"] for lead in leads)
        assert browser.get("/api/v1/quarantine")["total"] == 0
        assert [(journal["gaps"], journal["forks"]) for journal in device["journals"]] == [([], 0)]


def _restart_center(county: County) -> None:
    assert wait_until(lambda: county.center.exit_code is not None, timeout_s=PATIENCE_S)
    county.open_center()
