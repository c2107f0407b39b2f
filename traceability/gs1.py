"""GS1 keys and the GS1 Digital Link path of a pack: check digits, and the address behind its QR code.

Sources: GS1 General Specifications, section 7.9 (check digit); GS1 Digital Link Standard: URI Syntax, 4 (primary key
01 with qualifiers 10 and 21). Application identifiers 10 and 21 hold up to 20 characters of GS1 character set 82.
"""

from urllib.parse import quote

GTIN_LENGTHS = (8, 12, 13, 14)
CHARACTER_SET_82 = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
COMPONENT_MAX = 20


def check_digit(digits: str) -> str:
    """The last digit of a GS1 key whose other digits are given.

    >>> check_digit("0950600013435")
    '2'
    """
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-weighted % 10)


def is_gtin(text: str) -> bool:
    """Whether the text is a GTIN of 8, 12, 13 or 14 digits with the right check digit."""
    plain = text.isascii() and text.isdigit()
    return plain and len(text) in GTIN_LENGTHS and check_digit(text[:-1]) == text[-1]


def is_component(text: str) -> bool:
    """Whether the text can be a batch (10) or a serial (21)."""
    return 0 < len(text) <= COMPONENT_MAX and set(text) <= CHARACTER_SET_82


def digital_link_path(gtin: str, lot: str, serial: str) -> str:
    """The path of a pack's page, to be put behind any domain.

    >>> digital_link_path("09506000134352", "QC-01/a", "0001")
    '/01/09506000134352/10/QC-01%2Fa/21/0001'
    """
    return f"/01/{gtin.zfill(14)}/10/{quote(lot, safe='')}/21/{quote(serial, safe='')}"
