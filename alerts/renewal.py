"""A box's certificate is renewed over the channel it enrolled: asked for with its key, answered with the centre's.

The certificate itself is not needed for that, so one that ran out while the box lay in a cupboard is no reason to
enrol it again.
"""

import secrets

import httpx

from alerts import dsse, wire
from alerts.errors import CentreNotTrusted, CentreUnreachable, MessageError
from alerts.events import read_message
from alerts.http_messages import CertificateAnswer, CertificateRequest
from alerts.identity import Identity
from alerts.keys import KeyFinder, SigningKey
from alerts.web import reason_of

PATH = "/api/v1/certificate"
REQUEST_TYPE = dsse.payload_type_of(CertificateRequest.TYPE)
ANSWER_TYPE = dsse.payload_type_of(CertificateAnswer.TYPE)


def ask_certificate(client: httpx.Client, identity: Identity, csr: str) -> CertificateAnswer:
    """The centre's answer to this request. Raises CentreUnreachable, CentreNotTrusted."""
    nonce = secrets.token_hex(16)
    request = CertificateRequest(tenant=identity.tenant, device=identity.device, nonce=nonce, csr=csr)
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


def write_answer(request: CertificateRequest, *, key: SigningKey, certificate: str, ca: str) -> bytes:
    """The centre's answer."""
    answer = CertificateAnswer(nonce=request.nonce, certificate=certificate, ca=ca)
    return dsse.seal(wire.encode(answer), ANSWER_TYPE, key)
