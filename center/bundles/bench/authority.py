"""A time-stamping authority of our own (RFC 3161): OpenSSL, which most machines have, with certificates made for it."""

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

PROGRAM: Final = "openssl"
CONFIG: Final = """
[tsa]
default_tsa = ours
[ours]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


def is_possible() -> bool:
    """Whether this machine has what an authority needs."""
    return shutil.which(PROGRAM) is not None


@dataclass(frozen=True, slots=True)
class Authority:
    """Its folder; the root certificate is in `roots`."""

    folder: Path

    @property
    def roots(self) -> Path:
        """What its stamps lead to, in PEM."""
        return self.folder / "root.pem"

    @classmethod
    def make(cls, folder: Path, name: str = "root") -> Self:
        """Root, signer and configuration in this folder, which is there and empty."""
        root_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        root = _begin(name, name, root_key.public_key(), is_authority=True).sign(root_key, hashes.SHA256())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        signer = _begin("stamps", name, key.public_key()).add_extension(usage, critical=True)
        pem = serialization.Encoding.PEM
        (folder / "root.pem").write_bytes(root.public_bytes(pem))
        (folder / "tsa.pem").write_bytes(signer.sign(root_key, hashes.SHA256()).public_bytes(pem))
        (folder / "tsa.key").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        (folder / "serial").write_text("01\n", encoding="ascii")
        (folder / "tsa.cnf").write_text(CONFIG, encoding="ascii")
        return cls(folder)

    def stamp(self, text: str) -> bytes:
        """Its answer over this text."""
        asked = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
        return self.answer(asked.as_bytes())

    def answer(self, query: bytes) -> bytes:
        """Its answer to a request as it comes over the wire."""
        (self.folder / "query").write_bytes(query)
        asked = [PROGRAM, "ts", "-reply", "-config", "tsa.cnf", "-section", "ours", "-queryfile", "query"]
        subprocess.run([*asked, "-out", "reply"], cwd=self.folder, capture_output=True, check=True)  # noqa: S603 - fixed words
        return (self.folder / "reply").read_bytes()


def _begin(
    subject: str, issuer: str, public: rsa.RSAPublicKey, *, is_authority: bool = False
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
