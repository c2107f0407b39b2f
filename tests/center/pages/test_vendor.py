"""Other people's code lies unchanged beside its licence."""

import hashlib
import re

from center.pages.rendering import STATIC

VENDOR = STATIC / "vendor"
ROW = re.compile(r"^\| (\S+) \| \S+ \| [\d.]+ \| \S+ \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def test_every_vendored_file_is_the_one_the_table_names() -> None:
    table = dict(ROW.findall((VENDOR / "README.md").read_text(encoding="utf-8")))
    files = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.glob("*/*")
    }
    assert files == table


def test_every_vendored_part_has_its_licence() -> None:
    parts = [path for path in VENDOR.iterdir() if path.is_dir()]
    assert parts
    assert all((part / "LICENSE").stat().st_size > 100 for part in parts)
