"""The box's certificate is renewed while it runs: what hinders that is said once, and what shows it is made anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.door import Door
from alerts.errors import CentreUnreachable
from alerts.identity import Identity
from alerts.outbox import Outbox
from edge.renewing import LOOK_AGAIN_S, LOOK_EVERY_S, CertificateRound
from tests.alerts.parts import make_identity


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox.db", identity=make_identity()) as opened:
        yield opened


def test_a_renewed_certificate_is_shown_and_trouble_is_told_once_and_when_it_is_over(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    shown: list[bool] = []
    answers: list[bool | None] = [None, None, True, False]

    def renew(_door: Door, _identity: Identity, _rotations: object) -> bool:
        answer = answers.pop(0)
        if answer is None:
            raise CentreUnreachable("nobody there")
        return answer

    monkeypatch.setattr(Door, "renew", renew)
    renewing = CertificateRound(outbox, lambda event, **_: told.append(event), on_renewed=lambda: shown.append(True))

    assert [renewing.go() for _ in range(4)] == [LOOK_AGAIN_S, LOOK_AGAIN_S, LOOK_EVERY_S, LOOK_EVERY_S]
    assert told == ["trouble", "trouble_over", "certificate_renewed"]
    assert shown == [True]
