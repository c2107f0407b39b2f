"""One-time codes and what a box gets for one: a name, the centre's key, a password for the broker.

The code's secret never travels and is not stored: the centre keeps what checks a request. A box whose answer got
lost asks again with the same key and gets the same answer.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.enrolment import check_request, make_answer, make_code
from alerts.keys import SigningKey, VerifyKey
from center.authority import Authority
from center.boxes.certificates import issue
from center.boxes.devices import Device, DeviceKey, mqtt_password
from center.boxes.keys import register
from center.errors import DeviceError, DeviceNameTaken
from traceability.records import Base, OfTenant


class EnrolmentCode(OfTenant, Base):
    """A code that was given out: for which box, until when, and which key used it."""

    __tablename__ = "enrolment_code"

    code_id: Mapped[str] = mapped_column(primary_key=True)
    check_key: Mapped[bytes] = mapped_column(LargeBinary)
    device: Mapped[str]
    enrolment: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None]


class CodeExpired(DeviceError):
    """The code's time has passed."""


class CodeUsed(DeviceError):
    """Another box has used the code."""


class KeyOfAnother(DeviceError):
    """The key belongs to a box of another name."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where boxes reach the broker; an empty host means the host at which they reach the centre."""

    host: str
    port: int
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Which box has enrolled, and the sealed answer to send it."""

    device: str
    answer: bytes


def give_code(
    session: Session,
    *,
    tenant: str,
    device: str,
    key: SigningKey,
    at: datetime,
    valid: timedelta,
    replace: bool = False,
) -> str:
    """A code for the box of this name, to be shown once. Raises DeviceNameTaken unless `replace`.

    Only the latest code of a name is good: of two, the second would shut out the box that used the first.
    """
    known = session.get(Device, (tenant, device))
    if known is not None and known.revoked_at is None and not replace:
        raise DeviceNameTaken(
            f"a box named {device!r} is enrolled already; --replace lets a new box take its place and shuts the old out"
        )
    unused = (EnrolmentCode.tenant == tenant, EnrolmentCode.device == device, EnrolmentCode.used_at.is_(None))
    session.execute(delete(EnrolmentCode).where(*unused))
    code = make_code(key.verify_key)
    session.add(
        EnrolmentCode(
            tenant=tenant,
            code_id=code.code_id,
            check_key=code.check_key,
            device=device,
            enrolment=secrets.token_hex(8),
            created_at=at,
            expires_at=at + valid,
        )
    )
    return code.text


def redeem(
    session: Session,
    raw: bytes,
    *,
    tenant: str,
    key: SigningKey,
    secret: bytes,
    broker: BrokerAddress,
    authority: Authority,
    certificate_days: int,
    web_tls: bool,
    at: datetime,
) -> Redeemed:
    """Register the box that sent this request.

    Raises MessageError for what is no request, CodeRefused for a code nobody gave out, CodeExpired, CodeUsed,
    KeyOfAnother.
    """

    def find(code_id: str) -> bytes | None:
        row = session.get(EnrolmentCode, (tenant, code_id))
        return row.check_key if row is not None else None

    request = check_request(raw, find)
    code = session.get_one(EnrolmentCode, (tenant, request.code_id))
    box_key = VerifyKey.from_text(request.public_key)
    if code.used_by == box_key.key_id:
        _require_still_good(session, code, box_key, at)
    else:
        _use(session, code, box_key, at)
    certificate = issue(
        session, authority, request.csr, tenant=tenant, device=code.device, at=at, days=certificate_days
    )
    answer = make_answer(
        request,
        key=key,
        tenant=tenant,
        device=code.device,
        mqtt_host=broker.host,
        mqtt_port=broker.port,
        mqtt_username=code.device,
        mqtt_password=mqtt_password(secret, code.device, code.enrolment),
        mqtt_tls=broker.tls,
        web_tls=web_tls,
        ca=authority.pem,
        certificate=certificate,
    )
    return Redeemed(code.device, answer)


def _require_still_good(session: Session, code: EnrolmentCode, box_key: VerifyKey, at: datetime) -> None:
    """The answer is given again only within the code's time, to a box that was not shut out or replaced since."""
    owner = session.get(DeviceKey, (code.tenant, box_key.key_id))
    if owner is None or owner.retired_at is not None:
        raise CodeUsed("the code was used by a box whose key has ended since: ask the centre for a new one")
    _require_in_time(code, at)


def _use(session: Session, code: EnrolmentCode, box_key: VerifyKey, at: datetime) -> None:
    if code.used_at is not None:
        raise CodeUsed("the code was used already: ask the centre for a new one")
    _require_in_time(code, at)
    owner = session.get(DeviceKey, (code.tenant, box_key.key_id))
    if owner is not None and owner.device != code.device:
        raise KeyOfAnother(f"this box is enrolled as {owner.device!r}; empty its state folder to give it another name")
    code.used_at, code.used_by = at, box_key.key_id
    register(session, tenant=code.tenant, name=code.device, key=box_key, enrolment=code.enrolment, at=at)


def _require_in_time(code: EnrolmentCode, at: datetime) -> None:
    if code.expires_at <= at:
        raise CodeExpired(f"the code expired at {code.expires_at:%Y-%m-%d %H:%M} UTC: ask the centre for a new one")
