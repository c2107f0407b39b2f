"""Certificates that the centre has given out: to its boxes, to its servers, to itself at the broker."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.certificates import is_due, make_key, pem_of_key
from alerts.errors import MalformedMessage
from alerts.identity import replace_private_file
from center.authority import Authority
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


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Files of a private key and its certificate."""

    key: Path
    certificate: Path


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


def server_pair(settings: Settings) -> KeyPair:
    """Where the servers' key and certificate are."""
    return KeyPair(settings.secrets_folder / "server.key", settings.secrets_folder / "server.crt")


def keep_server_pair(settings: Settings, authority: Authority, at: datetime) -> tuple[KeyPair, bool]:
    """The servers' key and certificate, and whether they are new: made anew when due, or for another set of names."""
    names, pair = server_names(settings), server_pair(settings)
    if _is_good(pair, authority, at) and _names_in(pair.certificate) == set(names):
        return pair, False
    key = make_key()
    issued = authority.issue_server(key, names, at, timedelta(days=settings.tls.server_days))
    _write(pair, pem_of_key(key), issued.pem)
    return pair, True


def keep_own_pair(settings: Settings, authority: Authority, at: datetime) -> Path:
    """One file with the centre's own key and certificate, with which it connects to the broker; renewed when due."""
    path = settings.secrets_folder / "center-client.pem"
    if not _is_good(KeyPair(path, path), authority, at):
        key = make_key()
        life = timedelta(days=settings.tls.server_days)
        issued = authority.issue_client(key.public_key(), settings.mqtt.username, at, life)
        replace_private_file(path, pem_of_key(key) + issued.pem.encode())
    return path


def _is_good(pair: KeyPair, authority: Authority, at: datetime) -> bool:
    """Whether the files are there, belong together and to this authority, and are not due."""
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        key = load_pem_private_key(pair.key.read_bytes(), None)
        certificate.verify_directly_issued_by(authority.certificate)
        return key.public_key() == certificate.public_key() and not is_due(pair.certificate.read_bytes(), at)
    except (OSError, ValueError, TypeError, MalformedMessage, x509.InvalidVersion):
        return False


def _names_in(path: Path) -> set[str]:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {str(name.value) for name in extension.value}


def _write(pair: KeyPair, key: bytes, certificate: str) -> None:
    replace_private_file(pair.key, key)
    replace_private_file(pair.certificate, certificate.encode())
