"""A box's certificate is renewed over the channel it enrolled: asked for with its key, answered with the centre's.

The certificate itself is not needed for that, so one that ran out while the box lay in a cupboard is no reason to
enrol it again.
"""

import base64
import binascii
import secrets
from collections.abc import Sequence

import httpx

from alerts import dsse, wire
from alerts.errors import CentreNotTrusted, CentreUnreachable, MalformedMessage, MessageError
from alerts.events import read_message
from alerts.http_messages import MOST_ROTATIONS, CertificateAnswer, CertificateRequest
from alerts.identity import Identity
from alerts.keys import KeyFinder, SigningKey
from alerts.web import reason_of

PATH = "/api/v1/certificate"
REQUEST_TYPE = dsse.payload_type_of(CertificateRequest.TYPE)
ANSWER_TYPE = dsse.payload_type_of(CertificateAnswer.TYPE)


def ask_certificate(
    client: httpx.Client, identity: Identity, csr: str, *, rotations: Sequence[bytes] = ()
) -> CertificateAnswer:
    """The centre's answer to this request, which brings `rotations` that have no receipt yet.

    Raises CentreUnreachable, CentreNotTrusted.
    """
    nonce = secrets.token_hex(16)
    request = CertificateRequest(
        tenant=identity.tenant,
        device=identity.device,
        nonce=nonce,
        csr=csr,
        rotations=tuple(base64.b64encode(raw).decode() for raw in rotations[:MOST_ROTATIONS]),
    )
    raw = dsse.seal(wire.encode(request), REQUEST_TYPE, identity.signing_key)
    url = identity.center_url + PATH
    try:
        response = client.post(url, content=raw, headers={"Content-Type": "application/json"})
    except httpx.HTTPError as error:
        raise CentreUnreachable(f"{url}: {error or type(error).__name__}") from None
    if not response.is_success:
        raise CentreUnreachable(f"{url}: {reason_of(response)}")
    centre = identity.centre_key
    try:
        opened = dsse.open_sealed(response.content, ANSWER_TYPE, {centre.key_id: centre}.get)
        wire.decode_object(opened.payload)
        answer = read_message(CertificateAnswer, opened.payload)
    except MessageError as error:
        raise CentreNotTrusted(f"the answer cannot be trusted: {error}") from None
    if answer.nonce != nonce:
        raise CentreNotTrusted("the answer belongs to another request")
    return answer


def read_request(raw: bytes, find_key: KeyFinder) -> tuple[CertificateRequest, str]:
    """What a box asks for, and the id of the key that signed it; raises the classes under MessageError."""
    opened = dsse.open_sealed(raw, REQUEST_TYPE, find_key)
    wire.decode_object(opened.payload)
    return read_message(CertificateRequest, opened.payload), opened.key_id


def read_rotations(raw: bytes) -> tuple[str, tuple[bytes, ...]]:
    """The box that a request says it is from, and the records in it. Nothing of it is verified yet.

    Raises the classes under MessageError.
    """
    payload = dsse.read_envelope(raw).payload
    wire.decode_object(payload)
    request = read_message(CertificateRequest, payload)
    try:
        return request.device, tuple(base64.b64decode(text, validate=True) for text in request.rotations)
    except binascii.Error as error:
        raise MalformedMessage(f"rotations: {error}") from None


def write_answer(request: CertificateRequest, *, key: SigningKey, certificate: str, ca: str) -> bytes:
    """The centre's answer."""
    answer = CertificateAnswer(nonce=request.nonce, certificate=certificate, ca=ca)
    return dsse.seal(wire.encode(answer), ANSWER_TYPE, key)
