"""Keys and requests for certificates (X.509, ECDSA P-256): what box and centre must agree on."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from alerts.errors import MalformedMessage

RENEW_AT = 3
"""With a third of its life left a certificate is renewed."""


def make_key() -> ec.EllipticCurvePrivateKey:
    """A new key from the system's randomness."""
    return ec.generate_private_key(ec.SECP256R1())


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS #8 PEM, for a file that only its owner reads."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def make_request(key: ec.EllipticCurvePrivateKey) -> str:
    """A certificate signing request (PKCS #10, PEM): it shows that somebody has the key; the centre gives the name."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def read_request(pem: str) -> ec.EllipticCurvePublicKey:
    """The key of a request that was signed with it; raises MalformedMessage."""
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        key = request.public_key()
        is_signed = request.is_signature_valid
    except (ValueError, TypeError, InvalidSignature):
        raise MalformedMessage("not a certificate signing request") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1) or not is_signed:
        raise MalformedMessage("a certificate is for an ECDSA P-256 key whose owner signed the request")
    return key


def is_due(pem: bytes, at: datetime) -> bool:
    """Whether the first certificate in `pem` should be renewed by now; raises MalformedMessage."""
    not_before, not_after = lifetime(pem)
    return at >= not_after - (not_after - not_before) / RENEW_AT or at < not_before - timedelta(days=1)


def lifetime(pem: bytes) -> tuple[datetime, datetime]:
    """From when to when the first certificate in `pem` is good; raises MalformedMessage."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise MalformedMessage("not a certificate") from None
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc
