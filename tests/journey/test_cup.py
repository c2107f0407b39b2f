"""Camera to cup: what the garden camera saw reaches a shopper only after an officer found it and said so."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journey.county import Browser, open_county, settled

pytestmark = pytest.mark.timeout(400)
FINDING = "A visitor crossed Plot 1; nothing was sprayed or taken."


def as_fast_as_possible(config: dict[str, Any]) -> None:
    """Watch the clip once; a van parked for 20 s is parked illegally."""
    for camera in config["cameras"]:
        camera["pace"] = "fast"
        camera["detections_per_s"] = 2
        for rule in camera["rules"]:
            if rule["rule"] == "stationary":
                rule["parameters"]["dwell_s"] = 20


def test_a_lead_becomes_a_task_a_finding_and_then_a_line_on_the_packet_s_page(vtest: Path, tmp_path: Path) -> None:
    with open_county(tmp_path) as county:
        county.open_center()
        county.enrol_box()
        county.start_box(vtest, as_fast_as_possible, "--until-end")
        officer = county.browser("officer-b")
        county.events.wait_for("stopped")
        settled(county, officer, leads=3)
        leads = {lead["id"]: lead for lead in officer.items("/api/v1/leads")}
        assert sorted({lead["kind"] for lead in leads.values()}) == ["garden.intrusion", "street.illegal_parking"]
        assert sum(lead["kind"] == "street.illegal_parking" for lead in leads.values()) == 2

        garden = next(lead for lead in leads.values() if lead["kind"] == "garden.intrusion")
        detail = officer.get(f"/api/v1/leads/{garden['id']}")
        assert {"plot", "party", "leaf_card", "lot", "grid"} <= {link["target_kind"] for link in detail["links"]}
        assert county.stage.pack.lot in {link["target_id"] for link in detail["links"]}
        assert FINDING not in packet_page(county.stage.trace_url)

        _work_off(officer, detail["task_id"])
        written = officer.post(
            f"/api/v1/tasks/{detail['task_id']}/findings", result=FINDING, measure="The path was fenced.", language="en"
        )
        assert written.status_code == 201, written.text
        assert FINDING not in packet_page(county.stage.trace_url), "a draft is nobody's business"
        published = officer.post(f"/api/v1/findings/{written.json()['id']}/publication")
        assert published.is_success, published.text
        assert FINDING in packet_page(county.stage.trace_url)

        picture = next(file for file in detail["files"] if file["role"] == "picture")
        assert officer.client.get(picture["url"]).headers["content-type"] == "image/jpeg"
        assert httpx.get(f"{county.stage.board_url}{picture['url']}").status_code == 401


def packet_page(url: str) -> str:
    answer = httpx.get(url, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    return answer.text


def _work_off(officer: Browser, task_id: str) -> None:
    """Acknowledge, start, rectify; then an illegal move, which changes nothing."""
    for move, state in (("acknowledge", "acknowledged"), ("start", "started"), ("rectify", "rectified")):
        done = officer.post(f"/api/v1/tasks/{task_id}/moves", move=move, note="seen on the spot")
        assert done.json()["state"] == state, done.text
    refused = officer.post(f"/api/v1/tasks/{task_id}/moves", move="acknowledge")
    assert refused.status_code == 409
    task = officer.get(f"/api/v1/tasks/{task_id}")
    assert task["state"] == "rectified"
    assert [step["by_user"] for step in task["history"] if step["by_user"] != "system"] == ["officer-b"] * 3
