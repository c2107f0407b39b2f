"""How a box comes to be known: a one-time code, a key made on the box, the centre's key pinned.

The code, `TW1-<secret>-<fingerprint>`, is read out or typed by a technician. Its secret never travels: the request
proves knowledge of it by an HMAC and possession of the box's new key by a signature. The answer must be signed
by the key whose fingerprint stands in the code, so that nobody in between can pose as the centre. The answer carries
the broker's password in clear: a centre on another machine must be reached over https, with a certificate that the
system trusts or one of the centre's own authority, which the key of that fingerprint has named (`alerts.trust`).
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from alerts import certificates, dsse, wire
from alerts.certificates import make_key
from alerts.door import keep_certificate
from alerts.errors import BadCode, CentreNotTrusted, CentreUnreachable, CodeRefused, InsecureCentre, MessageError
from alerts.events import read_message
from alerts.http_messages import EnrolmentAnswer, EnrolmentRequest
from alerts.identity import CERTIFICATE_FILE, KEY_FILE, Identity
from alerts.keys import FINGERPRINT_BYTES, SigningKey, VerifyKey
from alerts.tls import TrustedClock, client_context
from alerts.trust import ask_trust
from alerts.web import is_this_machine, open_client, reason_of

PATH = "/api/v1/enrol"
TIMEOUT_S = 15
MAX_PORT = 65535
PREFIX = "TW1"
SECRET_BYTES = 16
REQUEST_TYPE = dsse.payload_type_of(EnrolmentRequest.TYPE)
ANSWER_TYPE = dsse.payload_type_of(EnrolmentAnswer.TYPE)


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code. The centre keeps `code_id` and `check_key`, never the text."""

    secret: bytes = field(repr=False)
    fingerprint: bytes

    @classmethod
    def parse(cls, text: str) -> "Code":
        """Read a typed code: case and spaces do not matter; raises BadCode."""
        parts = "".join(text.split()).upper().split("-")
        if len(parts) != 3 or parts[0] != PREFIX:  # noqa: PLR2004 - prefix, secret, fingerprint
            raise BadCode(f"a code looks like {PREFIX}-XXXX…-XXXX…; ask the centre for a new one if it is incomplete")
        secret, fingerprint = _unbase32(parts[1], "secret"), _unbase32(parts[2], "fingerprint")
        if len(secret) != SECRET_BYTES or len(fingerprint) != FINGERPRINT_BYTES:
            raise BadCode("the code is too short or too long; copy it whole")
        return cls(secret, fingerprint)

    @property
    def text(self) -> str:
        """As it is shown to the technician."""
        return f"{PREFIX}-{_base32(self.secret)}-{_base32(self.fingerprint)}"

    @property
    def code_id(self) -> str:
        """Names the code without betraying it."""
        return hashlib.sha256(b"teawatch code id\0" + self.secret).hexdigest()[:32]

    @property
    def check_key(self) -> bytes:
        """32 bytes that check a request; from them the code cannot be had."""
        return hashlib.sha256(b"teawatch code check\0" + self.secret).digest()


def make_code(centre_key: VerifyKey) -> Code:
    """A new code for a centre with this key."""
    return Code(secrets.token_bytes(SECRET_BYTES), centre_key.fingerprint)


def make_request(code: Code, key: SigningKey, *, csr: str, device_hint: str = "") -> bytes:
    """What the box sends: signed with its new key, bound to the code; `csr` asks for its certificate."""
    fields = EnrolmentRequest(
        code_id=code.code_id,
        device_hint=device_hint,
        public_key=key.verify_key.to_text(),
        csr=csr,
        nonce=secrets.token_hex(16),
        mac="0" * 64,
    )
    request = fields.model_copy(update={"mac": _mac(fields, code.check_key)})
    return dsse.seal(wire.encode(request), REQUEST_TYPE, key)


def check_request(raw: bytes, find_check_key: Callable[[str], bytes | None]) -> EnrolmentRequest:
    """The centre's check: the key is the sender's, the code is known.

    `find_check_key` gives `Code.check_key` for a code id, None for a code that is unknown, used or expired.
    Raises MessageError for what is no such request, CodeRefused for a code that does not hold. Should the answer get
    lost, the box asks again with the same code and the same key: give the same answer then.
    """
    envelope = dsse.read_envelope(raw)
    request = read_message(EnrolmentRequest, _checked(envelope.payload))
    key = VerifyKey.from_text(request.public_key)
    dsse.open_sealed(raw, REQUEST_TYPE, {key.key_id: key}.get)
    check_key = find_check_key(request.code_id)
    if check_key is None or not hmac.compare_digest(request.mac, _mac(request, check_key)):
        raise CodeRefused("the code is unknown, used already, or expired: ask the centre for a new one")
    return request


def make_answer(
    request: EnrolmentRequest,
    *,
    key: SigningKey,
    tenant: str,
    device: str,
    mqtt_host: str,
    mqtt_port: int,
    mqtt_username: str,
    mqtt_password: str,
    mqtt_tls: bool,
    web_tls: bool,
    ca: str,
    certificate: str,
) -> bytes:
    """What the centre answers; an empty `mqtt_host` means the host that the box reached the centre at."""
    answer = EnrolmentAnswer(
        tenant=tenant,
        device=device,
        box_key=request.public_key,
        nonce=request.nonce,
        centre_key=key.verify_key.to_text(),
        mqtt_host=mqtt_host,
        mqtt_port=mqtt_port,
        mqtt_username=mqtt_username,
        mqtt_password=mqtt_password,
        mqtt_tls=mqtt_tls,
        web_tls=web_tls,
        ca=ca,
        certificate=certificate,
    )
    return dsse.seal(wire.encode(answer), ANSWER_TYPE, key)


def open_answer(raw: bytes, *, code: Code, request: bytes) -> EnrolmentAnswer:
    """The box's check: signed by the centre that made the code, for exactly this request; raises CentreNotTrusted."""
    asked = read_message(EnrolmentRequest, dsse.read_envelope(request).payload)
    try:
        answer = read_message(EnrolmentAnswer, _checked(dsse.read_envelope(raw).payload))
        centre_key = VerifyKey.from_text(answer.centre_key)
        if centre_key.fingerprint != code.fingerprint:
            raise CentreNotTrusted("the answer comes from another centre than the one that made the code")
        dsse.open_sealed(raw, ANSWER_TYPE, {centre_key.key_id: centre_key}.get)
    except MessageError as error:
        raise CentreNotTrusted(f"the answer cannot be trusted: {error}") from None
    if (answer.nonce, answer.box_key) != (asked.nonce, asked.public_key):
        raise CentreNotTrusted("the answer belongs to another request")
    return answer


def enrol(
    center_url: str,
    code: str,
    state_folder: Path,
    device_hint: str = "",
    *,
    allow_http: bool = False,
    transport: httpx.BaseTransport | None = None,
) -> Identity:
    """Enrol this box and keep its identity in `state_folder`.

    The key is made and kept before the first request, so that asking again after a lost answer shows the same key.
    Raises the classes under EnrolmentError, and KeyFileError.
    """
    parsed = Code.parse(code)
    host = check_address(center_url, allow_http=allow_http)
    key, tls_key = _own_key(state_folder), make_key()
    request = make_request(parsed, key, csr=certificates.make_request(tls_key), device_hint=device_hint)
    tls = _own_authority(center_url, parsed, transport)
    raw = _ask(center_url.rstrip("/") + PATH, request, transport, tls)
    answer = open_answer(raw, code=parsed, request=request)
    path = state_folder / CERTIFICATE_FILE
    identity = _identity(answer, key, center_url=center_url.rstrip("/"), host=host, certificate=path)
    keep_certificate(path, certificates.pem_of_key(tls_key), answer.certificate)
    identity.save(state_folder)
    return identity


def check_address(center_url: str, *, allow_http: bool) -> str:
    """The host of the centre's address; raises InsecureCentre, or CentreUnreachable for what is no address."""
    try:
        url = httpx.URL(center_url)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or (url.port or 1) > MAX_PORT:
        raise CentreUnreachable(f"{center_url!r} is no address; for example https://centre.example.org")
    if url.scheme == "http" and not allow_http and not is_this_machine(url.host):
        raise InsecureCentre(
            f"{center_url}: plain http to another machine would show the broker's password to everybody on the way;"
            " use https, or allow http explicitly on a network of your own"
        )
    return url.host


def _own_key(state_folder: Path) -> SigningKey:
    state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = state_folder / KEY_FILE
    if path.exists():
        return SigningKey.load(path)
    key = SigningKey.generate()
    key.save(path)
    return key


def _own_authority(center_url: str, code: Code, transport: httpx.BaseTransport | None) -> ssl.SSLContext | None:
    """Whom to trust on the way to the centre; None: whom this system trusts."""
    if httpx.URL(center_url).scheme != "https":
        return None
    trust = ask_trust(center_url, lambda key: key.fingerprint == code.fingerprint, transport=transport)
    return client_context(trust.ca, TrustedClock(lambda: trust.now).now) if trust.web_tls else None


def _ask(url: str, request: bytes, transport: httpx.BaseTransport | None, tls: ssl.SSLContext | None) -> bytes:
    try:
        with open_client(url, timeout=httpx.Timeout(TIMEOUT_S), transport=transport, tls=tls) as client:
            response = client.post(url, content=request, headers={"Content-Type": "application/json"})
    except httpx.HTTPError as error:
        raise CentreUnreachable(f"{url}: {error}") from None
    if response.status_code in (httpx.codes.FORBIDDEN, httpx.codes.GONE, httpx.codes.CONFLICT):
        raise CodeRefused(reason_of(response))
    if not response.is_success:
        raise CentreUnreachable(f"{url}: {reason_of(response)}")
    return response.content


def _identity(answer: EnrolmentAnswer, key: SigningKey, *, center_url: str, host: str, certificate: Path) -> Identity:
    return Identity(
        tenant=answer.tenant,
        device=answer.device,
        signing_key=key,
        centre_key=VerifyKey.from_text(answer.centre_key),
        center_url=center_url,
        mqtt_host=answer.mqtt_host or host,
        mqtt_port=answer.mqtt_port,
        mqtt_username=answer.mqtt_username,
        mqtt_password=answer.mqtt_password,
        mqtt_tls=answer.mqtt_tls,
        web_tls=answer.web_tls,
        ca=answer.ca,
        certificate=certificate,
    )


def _checked(payload: bytes) -> bytes:
    wire.decode_object(payload)
    return payload


def _mac(request: EnrolmentRequest, check_key: bytes) -> str:
    fields = request.model_dump(mode="json", exclude={"mac"})
    return hmac.new(check_key, b"teawatch enrolment request\0" + wire.encode(fields), "sha256").hexdigest()


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")


def _unbase32(text: str, part: str) -> bytes:
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        raise BadCode(f"the {part} in the code has characters that no code has; letters A-Z and digits 2-7") from None
