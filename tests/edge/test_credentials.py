"""Content credentials: a reader of anybody's finds the box and the packet in a picture, and an altered one is seen."""

import io
import json
from typing import Any

import c2pa
import numpy as np
import pytest
from cryptography import x509

from alerts.keys import VerifyKey
from edge import credentials
from edge.credentials import load_credentials
from edge.evidence import seal_picture
from edge.reporting import packets_of_frame
from streams.frames import Frame
from tests.edge.parts import make_frame, make_identity

IDENTITY = make_identity()


def make_seen() -> Frame:
    plain = make_frame(12.5)
    return Frame(
        picture=np.full((48, 64, 3), 120, np.uint8),
        camera=plain.camera,
        index=125,
        stream_s=12.5,
        monotonic_s=plain.monotonic_s,
        utc=plain.utc,
        take=2,
        codec="h264",
        decoder="libavcodec 62.11.100 h264",
    )


def read(jpeg: bytes) -> dict[str, Any]:
    with c2pa.Reader("image/jpeg", io.BytesIO(jpeg)) as reader:
        found: dict[str, Any] = json.loads(reader.json())
    return found


def test_a_picture_carries_its_packet_and_is_valid_but_signed_by_nobody_known() -> None:
    frame = make_seen()
    signer = load_credentials(lambda: IDENTITY)
    assert signer is not None
    plain = seal_picture(frame.picture)
    signed = signer.embed(plain, frame, packets_of_frame(frame))

    assert (signed.outcome, signed.trouble) == ("c2pa", "")
    found = read(signed.data)
    assert found["validation_state"] == "Valid"
    assert [status["code"] for status in found["validation_status"]] == ["signingCredential.untrusted"]
    manifest = found["manifests"][found["active_manifest"]]
    assert manifest["signature_info"]["common_name"] == IDENTITY.device
    (facts,) = [each["data"] for each in manifest["assertions"] if each["label"] == "org.teawatch.packets"]
    assert (facts["camera"], facts["first"], facts["take"], facts["decoder"]) == (
        "cam-1",
        125,
        2,
        "libavcodec 62.11.100 h264",
    )


def test_an_altered_picture_is_not_valid_any_more() -> None:
    frame = make_seen()
    signer = load_credentials(lambda: IDENTITY)
    assert signer is not None
    data = bytearray(signer.embed(seal_picture(frame.picture), frame, None).data)
    data[-20] ^= 1
    assert read(bytes(data))["validation_state"] == "Invalid"


def test_the_certificate_is_the_boxs_own_key_and_the_same_each_time() -> None:
    text = credentials._certify(IDENTITY.device, IDENTITY.tenant, IDENTITY.signing_key)
    credentials._certify.cache_clear()
    assert credentials._certify(IDENTITY.device, IDENTITY.tenant, IDENTITY.signing_key) == text
    certificate = x509.load_pem_x509_certificate(text.encode())
    assert VerifyKey(certificate.public_key().public_bytes_raw()) == IDENTITY.signing_key.verify_key  # type: ignore[union-attr,call-arg]


def test_what_cannot_be_signed_is_sealed_as_it_is_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = make_seen()
    signer = load_credentials(lambda: IDENTITY)
    assert signer is not None
    signed = signer.embed(b"no picture", frame, None)
    assert (signed.data, signed.outcome) == (b"no picture", "failed")
    assert signed.trouble
    monkeypatch.setattr(credentials, "find_spec", lambda _: None)
    assert load_credentials(lambda: IDENTITY) is None
