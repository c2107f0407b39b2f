"""The step before a finding is published: its words as shoppers will read them. Nothing here needs a script."""

from typing import Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from center.accounts.guards import Officer
from center.database import Reading
from center.office import office_of
from center.pages.language import local_path
from center.pages.rendering import language_of, render
from center.pages.shopper import shown_finding
from center.pages.taskpanel import panel_of
from center.pages.tasks import find_task
from enforcement.finding_records import Finding, FindingStatus
from enforcement.leads import Lead
from enforcement.personal_data import numbers_of_persons

router: Final = APIRouter(include_in_schema=False)


@router.get("/tasks/{task_id}/findings/{finding_id}/publication")
def confirm(
    request: Request, session: Reading, person: Officer, *, task_id: str, finding_id: str, back: str = ""
) -> Response:
    """Show the draft and ask; what is no draft any more leads back to its task."""
    task, language = find_task(request, session, task_id), language_of(request)
    finding = session.get(Finding, (task.tenant, finding_id))
    if finding is None or finding.task_id != task.id:
        raise HTTPException(404, f"there is no finding {finding_id!r} of task {task_id!r}")
    home = local_path(back) if back else f"/tasks/{task.id}"
    panel = panel_of(session, language, person, task)
    if finding.status != FindingStatus.DRAFT or not panel.may_publish:
        return RedirectResponse(f"{home}#task", status_code=303)
    lead = session.get_one(Lead, (task.tenant, task.lead_id))
    office = office_of(request)
    zone = ZoneInfo(office.settings.time_zone)
    return render(
        request,
        "publication.html",
        task=task,
        draft=finding,
        finding=shown_finding(session, language, lead, finding, published_at=office.now(), zone=zone),
        numbers=numbers_of_persons(finding.result, finding.measure),
        back=home,
    )
