"""Numbers that may name a person: no telephone, no identity number may stand on a page for the public.

Personal Information Protection Law 2021 art. 25 (nothing is disclosed without a basis of its own).
"""

import re
from typing import Final

A_DAY: Final = re.compile(r"(?<!\d)(?:19|20)\d\d-\d{1,2}-\d{1,2}(?!\d)")
A_RUN: Final = re.compile(r"\d(?:[ \-\u2010-\u2015\u00a0\u3000]?\d){9,}|\d{7,}")


def numbers_of_persons(*texts: str) -> tuple[str, ...]:
    """Every run of seven or more digits, or of ten or more in groups; a day written 2026-04-05 is none.

    >>> numbers_of_persons("Call 0578-1234567 or 138 0013 8000.", "Seen 2026-04-05 12:30; GB 2763-2021.")
    ('0578-1234567', '138 0013 8000')
    """
    return tuple(run for text in texts for run in A_RUN.findall(A_DAY.sub(";", text)))
