"""Accounts: who may sign in, with which role, in which language."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from center.accounts.passwords import hash_password
from center.errors import NameTaken, UnknownAccount, WeakPassword
from enforcement.actors import Actor, Role
from enforcement.errors import NotAnOfficer
from traceability.records import Base, Identified, OfTenant

__all__ = [
    "MIN_PASSWORD_LENGTH",
    "REVIEWER_ROLES",
    "STAFF_ROLES",
    "TASK_ROLES",
    "VIEWER_ROLES",
    "Person",
    "Role",
    "SignIn",
    "User",
    "add_user",
    "list_users",
    "make_password",
    "officers_of",
    "require_officer",
    "reset_password",
    "set_disabled",
]

MIN_PASSWORD_LENGTH = 10


STAFF_ROLES = (Role.OFFICER, Role.HEAD, Role.TECHNICIAN, Role.LEGAL_REVIEWER, Role.TECHNICAL_REVIEWER)
"""Who has an account: officers check leads, see evidence and publish findings; the head also gives out and reopens
tasks; technicians look after boxes and cameras and see no evidence; reviewers see leads and evidence and say whether
they may serve in a case, and handle no tasks."""

TASK_ROLES = (Role.OFFICER, Role.HEAD)
"""Who may handle tasks and look at evidence."""

VIEWER_ROLES = (*TASK_ROLES, Role.LEGAL_REVIEWER, Role.TECHNICAL_REVIEWER)
"""Who may look at leads and evidence."""

REVIEWER_ROLES = (Role.LEGAL_REVIEWER, Role.TECHNICAL_REVIEWER)
"""Who says whether a lead may serve as evidence."""


class User(Identified, Base):
    """One account. Its id is the name signed in with; it never changes, because histories name it."""

    __tablename__ = "account"

    role: Mapped[str]
    language: Mapped[str]
    password_hash: Mapped[str]
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class SignIn(OfTenant, Base):
    """A signed-in browser: the SHA-256 of its secret token, never the token."""

    __tablename__ = "sign_in"
    __table_args__ = (
        ForeignKeyConstraint(("tenant", "user_id"), ("account.tenant", "account.id"), ondelete="CASCADE"),
    )

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(index=True)
    csrf: Mapped[str]
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Person:
    """Who is asking: the value pages and routes work with. `csrf` goes into this person's forms and nowhere else."""

    user_id: str
    name: str
    role: Role
    language: str
    csrf: str

    @property
    def actor(self) -> Actor:
        """As the rooms of `enforcement` know them."""
        return Actor(self.user_id, self.role)


def add_user(
    session: Session, *, tenant: str, name: str, role: Role, password: str, language: str, at: datetime
) -> User:
    """A new account. Raises NameTaken, WeakPassword."""
    if session.get(User, (tenant, name)) is not None:
        raise NameTaken(
            f"an account named {name!r} exists already; `teawatch center user reset {name}` sets a password"
        )
    user = User(
        id=name,
        tenant=tenant,
        role=role.value,
        language=language,
        password_hash=hash_password(_strong(password)),
        created_at=at,
    )
    session.add(user)
    session.flush()
    return user


def reset_password(session: Session, *, tenant: str, name: str, password: str) -> None:
    """A new password; every browser signed in with the old one is signed out. Raises UnknownAccount, WeakPassword."""
    user = _user(session, tenant, name)
    user.password_hash = hash_password(_strong(password))
    _sign_out_everywhere(session, user)


def set_disabled(session: Session, *, tenant: str, name: str, disabled: bool) -> None:
    """Shut an account out, at once and everywhere, or let it in again; it stays in histories. Raises UnknownAccount."""
    user = _user(session, tenant, name)
    user.disabled = disabled
    if disabled:
        _sign_out_everywhere(session, user)


def officers_of(session: Session, tenant: str) -> tuple[str, ...]:
    """Everybody who may handle tasks now, by name."""
    able = (User.tenant == tenant, User.disabled.is_(False), User.role.in_(TASK_ROLES))
    return tuple(session.scalars(select(User.id).where(*able).order_by(User.id)))


def require_officer(session: Session, *, tenant: str, name: str) -> None:
    """Raises NotAnOfficer unless this is the name of somebody who may handle tasks now."""
    if name not in officers_of(session, tenant):
        raise NotAnOfficer(f"{name!r} cannot be given a task: nobody of this name may handle tasks")


def list_users(session: Session, tenant: str) -> tuple[User, ...]:
    """Every account of the tenant, by name."""
    return tuple(session.scalars(select(User).where(User.tenant == tenant).order_by(User.id)))


def make_password() -> str:
    """A random password a person can type: 4 groups of 4 letters and digits, 80 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789x"
    groups = ("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def _user(session: Session, tenant: str, name: str) -> User:
    user = session.get(User, (tenant, name))
    if user is None:
        raise UnknownAccount(f"no account named {name!r}; `teawatch center user list` shows all")
    return user


def _sign_out_everywhere(session: Session, user: User) -> None:
    session.execute(delete(SignIn).where(SignIn.tenant == user.tenant, SignIn.user_id == user.id))


def _strong(password: str) -> str:
    if len(password) < MIN_PASSWORD_LENGTH:
        raise WeakPassword(f"a password needs at least {MIN_PASSWORD_LENGTH} characters, this has {len(password)}")
    return password
