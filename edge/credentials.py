"""Content credentials in pictures (C2PA 2.1): whoever opens one with a C2PA reader sees which box made it, of what.

The certificate is the box's own: it names the box, and its key is the key that signs the box's records. No authority
vouches for it, so readers say `Valid` with `signingCredential.untrusted`; who the box is, the centre's keys tell. The
library is an extra of its own (`teawatch[c2pa]`, 50 MB): a box without it seals its pictures all the same.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal, Protocol

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from alerts.identity import Identity
from alerts.keys import SigningKey
from alerts.messages import Packets
from streams.frames import Frame

if TYPE_CHECKING:
    import c2pa

NOT_BEFORE: Final = datetime(2024, 1, 1, tzinfo=UTC)
NOT_AFTER: Final = datetime(2074, 1, 1, tzinfo=UTC)
"""No box was made before, none lives longer: one without a battery clock must not make certificates of the future."""

SETTINGS: Final = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}
CAPTURED: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
JPEG: Final = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Signed:
    """A picture to be sealed, and whether credentials are in it; `trouble` says why they are not."""

    data: bytes
    outcome: Literal["c2pa", "failed"] | None = None
    trouble: str = ""


class Credentials(Protocol):
    """Puts credentials into a picture."""

    def embed(self, jpeg: bytes, frame: Frame, packets: Packets | None) -> Signed:
        """The picture with credentials, or as it was where that failed."""
        ...


def load_credentials(identity: Callable[[], Identity]) -> Credentials | None:
    """What signs pictures with the box's present key; None where the C2PA library is not installed."""
    return _Embedder(identity) if find_spec("c2pa") is not None else None


class _Embedder:
    def __init__(self, identity: Callable[[], Identity]) -> None:
        import c2pa  # noqa: PLC0415 - an extra

        self._identity = identity
        self._context = c2pa.Context(c2pa.Settings.from_dict(SETTINGS))

    def embed(self, jpeg: bytes, frame: Frame, packets: Packets | None) -> Signed:
        import c2pa  # noqa: PLC0415 - an extra

        try:
            signed = io.BytesIO()
            with self._signer() as signer, c2pa.Builder(_manifest(frame, packets), context=self._context) as builder:
                builder.sign(signer, JPEG, io.BytesIO(jpeg), signed)
        except (c2pa.C2paError, ValueError, OSError) as error:
            return Signed(jpeg, "failed", str(error).splitlines()[0][:200])
        return Signed(signed.getvalue(), "c2pa")

    def _signer(self) -> "c2pa.Signer":
        import c2pa  # noqa: PLC0415 - an extra

        identity = self._identity()
        key = identity.signing_key
        certificate = _certify(identity.device, identity.tenant, key)
        return c2pa.Signer.from_callback(key.sign, c2pa.C2paSigningAlg.ED25519, certificate, None)


def _manifest(frame: Frame, packets: Packets | None) -> str:
    created = {"action": "c2pa.created", "digitalSourceType": CAPTURED, "when": frame.utc.isoformat()}
    facts = {"camera": frame.camera} | (packets.model_dump(mode="json") if packets else {})
    return json.dumps(
        {
            "claim_generator_info": [{"name": "TeaWatch"}],
            "format": JPEG,
            "title": f"{frame.camera} {frame.index}",
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
                {"label": "org.teawatch.packets", "data": facts},
            ],
        }
    )


@lru_cache(maxsize=2)
def _certify(device: str, tenant: str, key: SigningKey) -> str:
    """The box's certificate for its present key, in PEM: the same each time it is made, so nothing has to be kept."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, tenant),
            x509.NameAttribute(NameOID.COMMON_NAME, device),
        ]
    )
    return key.certify(
        lambda public: (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(public)
            .serial_number(int.from_bytes(key.verify_key.fingerprint[:8], "big") | 1)
            .not_valid_before(NOT_BEFORE)
            .not_valid_after(NOT_AFTER)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=False,
                    crl_sign=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        )
    )
