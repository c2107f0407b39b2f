"""What travels over HTTP between box and centre: enrolment, certificates, the way in for files."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from alerts.messages import Id, KeyText, Message, Sha256, Utc

Nonce = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

PemText = Annotated[
    str, StringConstraints(pattern=r"^-----BEGIN [A-Z ]+-----\n[A-Za-z0-9+/=\n]{1,4000}\n-----END [A-Z ]+-----\n$")
]
RecordText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=8192)]


class UploadClaim(Message):
    """What a box says when it brings a file of evidence; it stands, sealed, in the Authorization header."""

    TYPE: ClassVar[str] = "teawatch.upload.v1"

    tenant: Id
    device: Id
    sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0, le=2**31)]


class Trust(Message):
    """The centre's statement of its authority's certificate and of the time, for who chose the nonce.

    `web_tls`: the centre's own web side has a certificate of this authority.
    """

    TYPE: ClassVar[str] = "teawatch.trust.v1"

    nonce: Nonce
    centre_key: KeyText
    now: Utc
    ca: PemText
    web_tls: bool


MOST_ROTATIONS = 64


class CertificateRequest(Message):
    """An enrolled box asks for a new certificate; its key signs this.

    `rotations` are records, in base64, that wait on the box for their receipt: without them the centre may not know the
    key, and without a certificate the box could not bring them.
    """

    TYPE: ClassVar[str] = "teawatch.certificaterequest.v1"

    tenant: Id
    device: Id
    nonce: Nonce
    csr: PemText
    rotations: Annotated[tuple[RecordText, ...], Field(max_length=MOST_ROTATIONS)] = ()


class CertificateAnswer(Message):
    """The certificate, and the authority to pin from now on; the centre's key signs this."""

    TYPE: ClassVar[str] = "teawatch.certificateanswer.v1"

    nonce: Nonce
    certificate: PemText
    ca: PemText


class EnrolmentRequest(Message):
    """A new box asks to be known: its keys, and an HMAC that shows it holds the one-time code.

    `public_key` signs what the box says; `csr` asks for a certificate for another key, with which it connects.
    """

    TYPE: ClassVar[str] = "teawatch.enrolmentrequest.v1"

    code_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    device_hint: Annotated[str, StringConstraints(max_length=64)] = ""
    public_key: KeyText
    csr: PemText
    nonce: Nonce
    mac: Sha256


class EnrolmentAnswer(Message):
    """The centre's answer: the box's name and certificate, the centre's key and authority, and the way to the broker.

    `mqtt_tls`, `web_tls`: the broker, and the centre's web side, have certificates of that authority.
    """

    TYPE: ClassVar[str] = "teawatch.enrolmentanswer.v1"

    tenant: Id
    device: Id
    box_key: KeyText
    nonce: Nonce
    centre_key: KeyText
    mqtt_host: Annotated[str, StringConstraints(max_length=253)]
    mqtt_port: Annotated[int, Field(ge=1, le=65535)]
    mqtt_username: Annotated[str, StringConstraints(max_length=128)]
    mqtt_password: Annotated[str, StringConstraints(max_length=128)]
    mqtt_tls: bool
    web_tls: bool
    ca: PemText
    certificate: PemText
