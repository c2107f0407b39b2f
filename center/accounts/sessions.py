"""Signing in and out: a random token in a cookie, its hash in the database, and a second token for forms."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session
from starlette.responses import Response

from center.accounts.passwords import check_password
from center.accounts.people import Person, SignIn, User
from center.accounts.throttle import ADDRESS, Throttle
from enforcement.actors import Role

COOKIE = "teawatch_session"


class SignInRefused(Exception):
    """The name or the password is wrong; which of them is not said."""


class TooManyTries(SignInRefused):
    """Wait `retry_after_s` seconds before the next try."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many tries; wait {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: `token` goes into the cookie and is never stored."""

    token: str
    person: Person
    expires_at: datetime


def sign_in(
    session: Session,
    throttle: Throttle,
    *,
    tenant: str,
    name: str,
    password: str,
    address: str,
    at: datetime,
    lasts: timedelta,
) -> SignedIn:
    """Check name and password and open a session. Raises SignInRefused, TooManyTries (without checking)."""
    account, origin = f"account:{name}", f"{ADDRESS}{address}"
    wait_s = throttle.wait_s(account, origin, at=at)
    if wait_s:
        raise TooManyTries(wait_s)
    user = session.get(User, (tenant, name))
    usable = user is not None and not user.disabled
    matches = check_password(password, user.password_hash if user is not None and usable else None)
    if user is None or not matches:
        throttle.failed(account, origin, at=at)
        raise SignInRefused("name or password is wrong")
    throttle.succeeded(account)
    session.execute(delete(SignIn).where(SignIn.expires_at <= at))
    return _open(session, user, at, lasts)


def _open(session: Session, user: User, at: datetime, lasts: timedelta) -> SignedIn:
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    session.add(
        SignIn(
            token_sha256=_hash(token),
            tenant=user.tenant,
            user_id=user.id,
            csrf=csrf,
            started_at=at,
            expires_at=at + lasts,
        )
    )
    return SignedIn(token, _person(user, csrf), at + lasts)


def find_person(session: Session, *, tenant: str, token: str, at: datetime) -> Person | None:
    """Who holds this token, or None if it is unknown, expired or its account disabled."""
    found = session.get(SignIn, (tenant, _hash(token)))
    if found is None or found.expires_at <= at:
        return None
    user = session.get(User, (tenant, found.user_id))
    if user is None or user.disabled:
        return None
    return _person(user, found.csrf)


def sign_out(session: Session, token: str) -> None:
    """Forget the session of this token; an unknown token is no error."""
    session.execute(delete(SignIn).where(SignIn.token_sha256 == _hash(token)))


def set_cookie(response: Response, signed_in: SignedIn, *, secure: bool, lasts: timedelta) -> None:
    """Hand the token to the browser: not readable by scripts, not sent by other sites' forms."""
    response.set_cookie(
        COOKIE,
        signed_in.token,
        max_age=int(lasts.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
    )


def clear_cookie(response: Response) -> None:
    """Take the token away from the browser."""
    response.delete_cookie(COOKIE, path="/")


def _person(user: User, csrf: str) -> Person:
    return Person(user_id=user.id, name=user.id, role=Role(user.role), language=user.language, csrf=csrf)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
