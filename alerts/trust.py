"""What a box must know before it can judge a certificate: the centre's authority, and what time it is.

Both stand in one statement, signed with the centre's key and bound to a number that the box chose, so the way it came
by need not be trusted. A box that enrols knows the centre's key by the fingerprint in its code; later it has the key.
"""

import secrets
import ssl
from collections.abc import Callable
from datetime import datetime

import httpx

from alerts import dsse, wire
from alerts.errors import CentreNotTrusted, CentreUnreachable, MessageError
from alerts.events import read_message
from alerts.http_messages import Trust
from alerts.keys import SigningKey, VerifyKey
from alerts.web import open_client, reason_of

PATH = "/api/v1/trust"
TRUST_TYPE = dsse.payload_type_of(Trust.TYPE)
TIMEOUT = httpx.Timeout(5.0)


def write_trust(*, key: SigningKey, nonce: str, now: datetime, ca: str, web_tls: bool) -> bytes:
    """The centre's statement for whoever chose this nonce."""
    trust = Trust(nonce=nonce, centre_key=key.verify_key.to_text(), now=now, ca=ca, web_tls=web_tls)
    return dsse.seal(wire.encode(trust), TRUST_TYPE, key)


def read_trust(raw: bytes, *, nonce: str, is_ours: Callable[[VerifyKey], bool]) -> Trust:
    """The statement, if the key that signed it is our centre's and it answers this very question.

    Raises CentreNotTrusted.
    """
    try:
        payload = dsse.read_envelope(raw).payload
        wire.decode_object(payload)
        trust = read_message(Trust, payload)
        key = VerifyKey.from_text(trust.centre_key)
        if not is_ours(key):
            unknown = "what answers there is not the centre that this box, or its one-time code, knows"
            raise CentreNotTrusted(f"{unknown}: check address and code")
        dsse.open_sealed(raw, TRUST_TYPE, {key.key_id: key}.get)
    except MessageError as error:
        raise CentreNotTrusted(f"the centre's statement cannot be trusted: {error}") from None
    if trust.nonce != nonce:
        raise CentreNotTrusted("the centre's statement is an old one")
    return trust


def ask_trust(
    center_url: str, is_ours: Callable[[VerifyKey], bool], *, transport: httpx.BaseTransport | None = None
) -> Trust:
    """Ask the centre at this address. Raises CentreUnreachable, CentreNotTrusted."""
    nonce = secrets.token_hex(16)
    url = center_url.rstrip("/") + PATH
    try:
        with open_client(url, timeout=TIMEOUT, transport=transport, tls=_unjudging()) as client:
            response = client.get(url, params={"nonce": nonce})
    except httpx.HTTPError as error:
        raise CentreUnreachable(f"{url}: {error or type(error).__name__}") from None
    if not response.is_success:
        raise CentreUnreachable(f"{url}: {reason_of(response)}")
    return read_trust(response.content, nonce=nonce, is_ours=is_ours)


def _unjudging() -> ssl.SSLContext:
    """For the one question whose answer is judged by its signature."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
