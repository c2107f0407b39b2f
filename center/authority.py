"""The centre's own small certificate authority: for its servers, for itself at the broker, and for each box.

Keys are ECDSA P-256: Mosquitto, rumqttd and every TLS library of the last ten years take them, which cannot be said
of Ed25519. The authority lives long and is pinned by every box at its enrolment; what it issues lives short and is
renewed in time, so that a box that was shut out loses its way in even where nobody reads a list of revocations.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from alerts.certificates import make_key, pem_of_key, read_request
from alerts.identity import replace_private_file
from center.errors import AuthorityTrouble

KEY_FILE = "ca.key"
CERTIFICATE_FILE = "ca.crt"
LIFE = timedelta(days=365 * 20)
BACKDATED = timedelta(days=1)
"""Whoever checks a new certificate may have a clock that is behind."""

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate in PEM, and what a list of revocations calls it."""

    pem: str
    serial: int
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Authority:
    """The key that signs certificates, and its own."""

    _key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path, name: str, at: datetime) -> None:
        """Make an authority in this folder, unless there is one."""
        if (folder / CERTIFICATE_FILE).exists():
            return
        key = make_key()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"TeaWatch {name}"[:64])])
        builder = _builder(subject, subject, key.public_key(), at, LIFE)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        replace_private_file(folder / KEY_FILE, pem_of_key(key))
        replace_private_file(folder / CERTIFICATE_FILE, certificate.public_bytes(serialization.Encoding.PEM))

    @classmethod
    def load(cls, folder: Path) -> "Authority":
        """Read what `make` wrote. Raises AuthorityTrouble."""
        try:
            key = serialization.load_pem_private_key((folder / KEY_FILE).read_bytes(), None)
            certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE_FILE).read_bytes())
        except (OSError, ValueError) as error:
            raise AuthorityTrouble(f"{folder / KEY_FILE}: the centre's authority cannot be read: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise AuthorityTrouble(f"{folder / KEY_FILE}: this key does not belong to {CERTIFICATE_FILE} beside it")
        return cls(key, certificate)

    @property
    def pem(self) -> str:
        """The authority's certificate, to be pinned."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue_server(
        self, key: ec.EllipticCurvePrivateKey, names: Sequence[str], at: datetime, life: timedelta
    ) -> Issued:
        """A certificate for servers that are reached under these names and addresses."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        return self._issue(subject, key.public_key(), SERVER, [_general_name(each) for each in names], at=at, life=life)

    def issue_client(
        self, key: ec.EllipticCurvePublicKey, name: str, at: datetime, life: timedelta, *, uri: str = ""
    ) -> Issued:
        """A certificate for whoever calls himself `name` at the broker, and `uri` everywhere."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [x509.UniformResourceIdentifier(uri)] if uri else []
        return self._issue(subject, key, CLIENT, names, at=at, life=life)

    def issue_box(self, request: str, *, tenant: str, device: str, at: datetime, life: timedelta) -> Issued:
        """A box's certificate for the key in its request; the name is ours to give. Raises MalformedMessage."""
        return self.issue_client(read_request(request), device, at, life, uri=f"urn:teawatch:{tenant}:{device}")

    def revocations(self, serials: Iterable[tuple[int, datetime]], at: datetime, life: timedelta) -> str:
        """The list of certificates that count no more, each with when it was taken back, in PEM."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(at - BACKDATED).next_update(at + life)
        for serial, since in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def _issue(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        purpose: x509.ObjectIdentifier,
        names: Sequence[x509.GeneralName],
        *,
        at: datetime,
        life: timedelta,
    ) -> Issued:
        builder = _builder(subject, self.certificate.subject, key, at, life)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        ours = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(ours, critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        made = builder.sign(self._key, hashes.SHA256())
        pem = made.public_bytes(serialization.Encoding.PEM).decode()
        return Issued(pem, made.serial_number, made.not_valid_after_utc)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, at: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BACKDATED)
        .not_valid_after(at + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
