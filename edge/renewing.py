"""The box's certificate is renewed while it runs, by one thread that nothing waits for."""

from collections.abc import Callable

from alerts.door import Door
from alerts.errors import AlertsError
from alerts.outbox import Outbox
from edge.announcements import Tell
from edge.background import Background

LOOK_EVERY_S = 3600.0
LOOK_AGAIN_S = 60.0
PATIENCE_S = 20.0
WHAT = "certificate"


class CertificateRound(Background):
    """Looks at it between `with` and its end. `on_renewed` makes the connections that show the certificate."""

    def __init__(self, outbox: Outbox, tell: Tell, *, on_renewed: Callable[[], None], door: Door | None = None) -> None:
        """`door`: the way to the centre, if it is not the usual one of this outbox's identity."""
        self._outbox = outbox
        self._tell = tell
        self._on_renewed = on_renewed
        self._door = door or Door(outbox.identity)
        self._trouble = ""
        super().__init__("certificate", patience_s=PATIENCE_S)

    def go(self) -> float:
        """Renew it if it is due; seconds until it is to be looked at again."""
        try:
            is_new = self._door.renew(self._outbox.identity, self._outbox.waiting_rotations)
        except (AlertsError, OSError) as error:
            self._say(str(error))
            return LOOK_AGAIN_S
        self._say("")
        if is_new:
            self._tell("certificate_renewed")
            self._on_renewed()
        return LOOK_EVERY_S

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            self._tell("trouble", what=WHAT, reason=trouble)
        elif self._trouble and not trouble:
            self._tell("trouble_over", what=WHAT)
        self._trouble = trouble

    def _run(self) -> None:
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            pause_s = self.go()
