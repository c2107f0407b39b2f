"""QR pictures: what is drawn is what a scanner reads."""

import cv2
import numpy as np
import pytest
import zxingcpp

from traceability.codes import qr_png, qr_svg
from traceability.gs1 import digital_link_path

ADDRESSES = [
    "https://tea.example" + digital_link_path("09506000134352", "QC-01/a", "0001"),
    "http://127.0.0.1:8000" + digital_link_path("9506000134352", "L" * 20, "S" * 20),
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("scale", [3, 8])
def test_a_scanner_reads_the_address_back(address: str, scale: int) -> None:
    pixels = cv2.imdecode(np.frombuffer(qr_png(address, scale=scale), np.uint8), cv2.IMREAD_GRAYSCALE)
    (code,) = zxingcpp.read_barcodes(pixels)
    assert code.text == address


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_code_keeps_its_quiet_zone(address: str) -> None:
    pixels = cv2.imdecode(np.frombuffer(qr_png(address, scale=5), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    assert int(pixels[:20].min()) == 255
    assert int(pixels[:, :20].min()) == 255


def test_the_drawing_for_pages_is_plain_svg_without_scripts() -> None:
    drawing = qr_svg(ADDRESSES[0]).decode()
    assert "<svg" in drawing
    assert "script" not in drawing
    assert "#fff" in drawing
