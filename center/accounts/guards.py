"""What a route asks before it runs: who is this, may they, and did this form come from our own page."""

import hmac
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from center.accounts.people import REVIEWER_ROLES, STAFF_ROLES, TASK_ROLES, VIEWER_ROLES, Person
from center.accounts.sessions import COOKIE, find_person
from center.office import Office, office_of
from enforcement.actors import Role

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"


class NotSignedIn(HTTPException):
    """401: a page answers with its sign-in page, JSON with a problem."""

    def __init__(self) -> None:
        super().__init__(401, "sign in first")


class NotAllowed(HTTPException):
    """403: this role may not."""

    def __init__(self, detail: str) -> None:
        super().__init__(403, detail)


def whoever(request: Request) -> Person | None:
    """Who is signed in, or None. Looked up once for each request."""
    if not hasattr(request.state, "person"):
        request.state.person = _look_up(request)
    person: Person | None = request.state.person
    return person


def seen_already(request: Request) -> Person | None:
    """Who is signed in, as far as this request has asked; asks nobody itself."""
    person: Person | None = getattr(request.state, "person", None)
    return person


def _look_up(request: Request) -> Person | None:
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    office: Office = office_of(request)
    with office.database.reading() as session:
        return find_person(session, tenant=office.settings.tenant, token=token, at=office.now())


def signed_in(request: Request) -> Person:
    """The person signed in. Raises NotSignedIn."""
    person = whoever(request)
    if person is None:
        raise NotSignedIn
    return person


def handles_tasks(request: Request) -> bool:
    """Whether an officer or the head is signed in; for what is asked before any route is."""
    person = whoever(request)
    return person is not None and person.role in TASK_ROLES


def require(*roles: Role) -> Callable[[Request], Person]:
    """A dependency: the person signed in, if they have one of these roles. Raises NotSignedIn, NotAllowed."""

    def allowed(request: Request) -> Person:
        person = signed_in(request)
        if person.role not in roles:
            raise NotAllowed(f"this needs the role {' or '.join(roles)}; you are signed in as {person.role}")
        return person

    return allowed


async def check_csrf(request: Request) -> None:
    """A dependency of every route that changes something for a signed-in person.

    The session's own token must come back in the header X-CSRF-Token or the form field csrf_token. Raises NotAllowed.
    """
    person = await run_in_threadpool(whoever, request)
    if person is None:
        raise NotSignedIn
    given = request.headers.get(CSRF_HEADER)
    if given is None and _is_form(request):
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if given is None or not hmac.compare_digest(given.encode(), person.csrf.encode()):
        raise NotAllowed("this form is stale or came from elsewhere; reload the page and try again")


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in {"application/x-www-form-urlencoded", "multipart/form-data"}


SignedInPerson = Annotated[Person, Depends(signed_in)]
Officer = Annotated[Person, Depends(require(*TASK_ROLES))]
"""Somebody who may look at evidence and handle tasks: an officer or the head."""

Viewer = Annotated[Person, Depends(require(*VIEWER_ROLES))]
"""Somebody who may look at leads and evidence: an officer, the head or a reviewer."""

Reviewer = Annotated[Person, Depends(require(*REVIEWER_ROLES))]
"""Somebody who says whether a lead may serve as evidence."""

Staff = Annotated[Person, Depends(require(*STAFF_ROLES))]
"""Anybody with an account."""

CsrfChecked = Depends(check_csrf)
"""For `dependencies=[CsrfChecked]` of a route that changes something."""
