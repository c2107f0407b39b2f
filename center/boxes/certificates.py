"""Certificates that the centre has given out: to its boxes, to its servers, to itself at the broker."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.certificates import is_due, make_key, pem_of_key
from alerts.errors import MalformedMessage
from alerts.identity import replace_private_file
from center.authority import Authority, Issued
from center.settings import Settings
from traceability.records import Base, OfTenant

ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


class DeviceCertificate(OfTenant, Base):
    """A certificate that a box was given. The serial number is text: 159 bits fit no column of numbers."""

    __tablename__ = "device_certificate"

    serial: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(index=True)
    issued_at: Mapped[datetime]
    not_after: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


def issue(
    session: Session, authority: Authority, request: str, *, tenant: str, device: str, at: datetime, days: int
) -> str:
    """A certificate in PEM for the key of this request, written down. Raises MalformedMessage."""
    issued = authority.issue_box(request, tenant=tenant, device=device, at=at, life=timedelta(days=days))
    session.add(
        DeviceCertificate(
            tenant=tenant, serial=f"{issued.serial:x}", device=device, issued_at=at, not_after=issued.not_after
        )
    )
    session.flush()
    return issued.pem


def take_back(session: Session, *, tenant: str, device: str, at: datetime) -> None:
    """No certificate that this box has counts any more."""
    session.execute(
        update(DeviceCertificate)
        .where(
            DeviceCertificate.tenant == tenant,
            DeviceCertificate.device == device,
            DeviceCertificate.revoked_at.is_(None),
        )
        .values(revoked_at=at)
    )


def taken_back(session: Session, tenant: str, at: datetime) -> tuple[tuple[int, datetime], ...]:
    """Serial numbers for the list of revocations, with when; those that ran out need not stand there."""
    rows = select(DeviceCertificate).where(
        DeviceCertificate.tenant == tenant,
        DeviceCertificate.revoked_at.is_not(None),
        DeviceCertificate.not_after > at,
    )
    ordered = session.scalars(rows.order_by(DeviceCertificate.serial))
    return tuple((int(row.serial, 16), row.revoked_at) for row in ordered if row.revoked_at is not None)


def server_names(settings: Settings) -> tuple[str, ...]:
    """Names and addresses under which boxes reach this centre's servers, as far as the settings tell."""
    mqtt, web = settings.mqtt, settings.web
    given = (*settings.tls.names, settings.public_host, mqtt.public_host, mqtt.host, web.host, "localhost", "127.0.0.1")
    return tuple(dict.fromkeys(name for name in given if name not in ANYWHERE))


def server_pair(settings: Settings) -> Path:
    """Where the servers' key and certificate are: in one file, so that two that are read belong together."""
    return settings.secrets_folder / "server.pem"


def keep_server_pair(settings: Settings, authority: Authority, at: datetime) -> tuple[Path, bool]:
    """The servers' key and certificate, and whether they are new: made anew when due, or for another set of names."""
    names, path = server_names(settings), server_pair(settings)
    if _is_good(path, authority, at) and _names_in(path) == set(names):
        return path, False
    key = make_key()
    issued = authority.issue_server(key, names, at, timedelta(days=settings.tls.server_days))
    _write(path, key, issued)
    return path, True


def keep_own_pair(settings: Settings, authority: Authority, at: datetime) -> Path:
    """One file with the centre's own key and certificate, with which it connects to the broker; renewed when due."""
    path = settings.secrets_folder / "center-client.pem"
    if not _is_good(path, authority, at):
        key = make_key()
        life = timedelta(days=settings.tls.server_days)
        issued = authority.issue_client(key.public_key(), settings.mqtt.username, at, life)
        _write(path, key, issued)
    return path


def _is_good(path: Path, authority: Authority, at: datetime) -> bool:
    """Whether key and certificate are there, belong together and to this authority, and are not due."""
    try:
        pem = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        key = load_pem_private_key(pem, None)
        certificate.verify_directly_issued_by(authority.certificate)
        return key.public_key() == certificate.public_key() and not is_due(pem, at)
    except (OSError, ValueError, TypeError, MalformedMessage, x509.InvalidVersion):
        return False


def _names_in(path: Path) -> set[str]:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {str(name.value) for name in extension.value}


def _write(path: Path, key: EllipticCurvePrivateKey, issued: Issued) -> None:
    replace_private_file(path, pem_of_key(key) + issued.pem.encode())
