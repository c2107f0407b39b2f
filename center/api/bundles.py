"""POST /api/v1/leads/{id}/bundle: the sealed evidence of a lead, handed out and noted; and the same for the page."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from center.accounts.guards import CsrfChecked, Officer
from center.api.security import CHANGES, PREFIX
from center.bundles.answering import MEDIA_TYPE, answer_with_bundle
from center.bundles.handing import Hand
from center.office import office_of
from center.web.problems import responses
from center.web.words import Reason

router: Final = APIRouter(prefix=PREFIX, tags=["leads"], dependencies=CHANGES)

forms: Final = APIRouter(include_in_schema=False, dependencies=[CsrfChecked])
"""The button on the lead's page, which works without scripts."""

RowId = Annotated[str, Path(min_length=1, max_length=200)]
BYTES: Final[dict[str, Any]] = {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}


class BundleIn(BaseModel):
    """Why a bundle is handed out; stands in the chain of custody."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


@router.post(
    "/leads/{lead_id}/bundle",
    response_class=StreamingResponse,
    responses={200: {"description": "the bundle", "content": BYTES}, **responses(401, 403, 404, 409, 422, 507)},
)
def make(request: Request, person: Officer, lead_id: RowId, wish: BundleIn) -> StreamingResponse:
    """The lead's records, pictures, clip and reasons in one file, sealed by the centre. Who took it out is noted."""
    return answer_with_bundle(office_of(request), lead_id, Hand(person.user_id, wish.reason))


@forms.post("/leads/{lead_id}/bundle")
def take(request: Request, person: Officer, lead_id: str, reason: Annotated[Reason, Form()]) -> StreamingResponse:
    """The bundle, as a file to save."""
    return answer_with_bundle(office_of(request), lead_id, Hand(person.user_id, reason))
