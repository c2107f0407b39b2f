"""Packs of tea: their codes to print, and the way to the page a shopper sees."""

from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import func, select, tuple_

from center.accounts.guards import Staff
from center.database import Reading
from center.office import office_of
from center.pages.rendering import language_of, render
from traceability.codes import qr_png, qr_svg
from traceability.gs1 import digital_link_path
from traceability.lots import Pack, Product

router: Final = APIRouter(include_in_schema=False)
PAGE_SIZE: Final = 24
LAST_PAGE: Final = 10_000


@router.get("/packs")
def show(request: Request, session: Reading, _person: Staff, lot: str = "", page: int = 1) -> Response:
    """Every lot with its first packet; with `lot`, all packets of that lot, to be printed."""
    office, language = office_of(request), language_of(request)
    tenant, number = office.settings.tenant, max(1, min(page, LAST_PAGE))
    counted = session.execute(select(Pack.lot_id, func.count()).where(Pack.tenant == tenant).group_by(Pack.lot_id))
    counts = dict(counted.all())
    if lot and lot not in counts:
        raise HTTPException(404, f"there is no lot {lot!r}")
    rows = (
        select(Pack, Product)
        .join(Product, (Product.tenant == Pack.tenant) & (Product.gtin == Pack.gtin))
        .where(Pack.tenant == tenant)
        .order_by(Pack.packed_at.desc(), Pack.lot_id, Pack.serial)
    )
    if lot:
        rows = rows.where(Pack.lot_id == lot).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    else:
        first = select(func.min(Pack.serial)).where(Pack.tenant == tenant).group_by(Pack.gtin, Pack.lot_id)
        keys = first.add_columns(Pack.gtin, Pack.lot_id)
        rows = rows.where(tuple_(Pack.serial, Pack.gtin, Pack.lot_id).in_(keys))
    packs = [
        {
            "pack": pack,
            "product": language.named(product, "name"),
            "grade": language.named(product, "grade"),
            "net_g": product.net_g,
            "path": digital_link_path(pack.gtin, pack.lot_id, pack.serial),
            "count": counts[pack.lot_id],
        }
        for pack, product in session.execute(rows)
    ]
    return render(
        request,
        "packs.html",
        packs=packs,
        lot=lot,
        base=office.settings.url,
        number=number,
        more=bool(lot) and counts[lot] > number * PAGE_SIZE,
    )


@router.get("/packs/code.{form}")
def code(
    request: Request, session: Reading, _person: Staff, *, form: str, gtin: str, lot: str, serial: str
) -> Response:
    """The QR picture of one registered pack, as SVG or PNG."""
    office = office_of(request)
    if session.get(Pack, (office.settings.tenant, gtin.zfill(14), lot, serial)) is None:
        raise HTTPException(404, "there is no such pack")
    address = office.settings.url + digital_link_path(gtin, lot, serial)
    headers = {"Cache-Control": "private, max-age=3600"}
    match form:
        case "svg":
            return Response(qr_svg(address), media_type="image/svg+xml", headers=headers)
        case "png":
            return Response(qr_png(address), media_type="image/png", headers=headers)
    raise HTTPException(404, "codes come as svg or png")
