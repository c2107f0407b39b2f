"""The way from a box to its centre: which authority, which certificate of its own, whose clock."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import httpx

from alerts.certificates import is_due, make_key, make_request, pem_of_key
from alerts.clocks import clock_quality, utc_now
from alerts.errors import CentreNotTrusted, CentreUnreachable, MalformedMessage
from alerts.identity import Identity, replace_private_file
from alerts.messages import ClockQuality
from alerts.renewal import ask_certificate
from alerts.tls import Context, TrustedClock, client_context
from alerts.trust import ask_trust
from alerts.web import open_client

TIMEOUT = httpx.Timeout(15.0)


class Door:
    """Makes contexts for connections to the centre; usable from any thread."""

    def __init__(
        self,
        identity: Identity,
        *,
        system: Callable[[], datetime] = utc_now,
        quality: Callable[[datetime], ClockQuality] = clock_quality,
    ) -> None:
        self._identity = identity
        self._clock = TrustedClock(self._centre_time, system=system, quality=quality)

    def to_broker(self) -> Context:
        """For the broker, which wants to see this box's certificate. Raises TlsError."""
        return client_context(self._identity.ca, self._clock.now, self._identity.certificate)

    def to_web(self) -> Context | None:
        """For the centre's web side; None where it has no certificate of the centre's own authority."""
        return client_context(self._identity.ca, self._clock.now) if self._identity.web_tls else None

    def renew(self, identity: Identity, rotations: Callable[[], Sequence[bytes]] = tuple) -> bool:
        """Fetch a new certificate if the one here is due; whether it was.

        `identity` signs the request with the key in force; `rotations` are the records of new keys that wait for their
        receipt. Raises TlsError, CentreUnreachable, CentreNotTrusted.
        """
        path = identity.certificate
        if path is None or not identity.ca or not self._is_due(path):
            return False
        key = make_key()
        with open_client(identity.center_url, timeout=TIMEOUT, tls=self.to_web()) as client:
            answer = ask_certificate(client, identity, make_request(key), rotations=rotations())
        if answer.ca != identity.ca:
            raise CentreNotTrusted("the centre has another authority than this box knows: enrol this box again")
        keep_certificate(path, pem_of_key(key), answer.certificate)
        return True

    def _is_due(self, path: Path) -> bool:
        try:
            return is_due(path.read_bytes(), self._clock.now())
        except (FileNotFoundError, MalformedMessage):
            return True

    def _centre_time(self) -> datetime:
        centre = self._identity.centre_key
        try:
            return ask_trust(self._identity.center_url, lambda key: key == centre).now
        except CentreUnreachable as error:
            raise CentreUnreachable(f"it cannot be asked: {error}") from None


def keep_certificate(path: Path, key: bytes, certificate: str) -> None:
    """Key and certificate in one file, so that no kill leaves one without the other."""
    replace_private_file(path, key + certificate.encode())
