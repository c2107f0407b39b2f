"""Codes to print: a scanner reads back the address of the shopper's page."""

import io

import cv2
import numpy as np
import pytest
import zxingcpp

from tests.center.pages.markup import read
from tests.center.pages.scene import Scene
from traceability.gs1 import digital_link_path


def test_every_code_leads_a_scanner_to_its_packets_own_page(scene: Scene) -> None:
    with scene.signed_in("technician") as staff:
        for pack in scene.packs:
            where = {"gtin": pack.gtin, "lot": pack.lot, "serial": pack.serial}
            picture = staff.get("/packs/code.png", params=where)
            assert picture.headers["content-type"] == "image/png"
            pixels = cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_GRAYSCALE)
            (code,) = zxingcpp.read_barcodes(pixels)
            assert code.text == scene.office.settings.url + digital_link_path(pack.gtin, pack.lot, pack.serial)
            assert staff.get(code.text).status_code == 200
            drawing = staff.get("/packs/code.svg", params=where)
            assert drawing.headers["content-type"].startswith("image/svg+xml")
            assert io.BytesIO(drawing.content).read(4) in {b"<svg", b"<?xm"}


@pytest.mark.parametrize("form", ["png", "svg"])
def test_nobody_gets_a_code_for_a_packet_that_does_not_exist(scene: Scene, form: str) -> None:
    where = {"gtin": "09506000134413", "lot": "QL-ORG-0118", "serial": "made-up"}
    with scene.signed_in() as staff:
        assert staff.get(f"/packs/code.{form}", params=where).status_code == 404
        pack = scene.packs[0]
        known = {"gtin": pack.gtin, "lot": pack.lot, "serial": pack.serial}
        assert staff.get("/packs/code.gif", params=known).status_code == 404


def test_lots_show_their_first_packet_and_each_lot_all_of_them(scene: Scene) -> None:
    with scene.signed_in() as staff:
        assert len(read(staff.get("/packs").text).all("img")) == len(scene.packs)
        shown: set[str] = set()
        for number in (1, 2, 3):
            page = read(staff.get(f"/packs?lot={scene.packs[0].lot}&page={number}").text)
            shown |= {img.attributes["alt"] for img in page.all("img")}
        assert len(shown) == 60
        assert staff.get("/packs?lot=no-such-lot").status_code == 404
