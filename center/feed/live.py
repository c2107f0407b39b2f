"""`/live`: the stream of server-sent events that open pages listen to."""

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from center.accounts.guards import Staff
from center.feed.hub import Hub
from center.office import office_of

router: Final = APIRouter(include_in_schema=False)
HEARTBEAT_S: Final = 15
RETRY_MS: Final = 2000
LONGEST: Final = timedelta(minutes=10)
"""A stream ends after this time; the browser comes back by itself and is asked anew who it is."""

BOOT: Final = secrets.token_hex(4)
"""Numbers start anew with each process, so an id names the process too."""


@router.get("/live")
async def live(
    request: Request, _person: Staff, last_event_id: Annotated[str | None, Header()] = None
) -> EventSourceResponse:
    """Events `lead`, `task`, `evidence`, `device`, `quarantine`, each with `{"id": …}`; `refresh`: fetch everything."""
    events = _events(office_of(request).hub, _number(last_event_id))
    return EventSourceResponse(events, ping=HEARTBEAT_S, headers={"Cache-Control": "no-store"})


async def _events(hub: Hub, last_number: int | None) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(comment="hello", retry=RETRY_MS)
    async for notice in hub.listen(last_number, for_s=LONGEST.total_seconds()):
        if notice is None:
            yield ServerSentEvent(event="refresh", data="{}")
        else:
            yield ServerSentEvent(event=notice.topic, data=notice.data, id=f"{BOOT}-{notice.number}")


def _number(last_event_id: str | None) -> int | None:
    """The number after which to go on; -1, which nothing can follow, for an id of another process."""
    if not last_event_id:
        return None
    boot, _, number = last_event_id.partition("-")
    return int(number) if boot == BOOT and number.isdecimal() else -1
