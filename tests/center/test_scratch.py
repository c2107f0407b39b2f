"""Folders in which something is made are gone afterwards, also where their maker was killed."""

import os
import time
from pathlib import Path

from center.scratch import LEFTOVER_S, clear_scratch, open_scratch


def test_what_a_killed_maker_left_is_cleared_away_and_what_is_under_way_stays(tmp_path: Path) -> None:
    data = tmp_path / "blobs"
    data.mkdir()
    with open_scratch(tmp_path) as under_way, open_scratch(tmp_path) as left:
        for folder in (under_way, left):
            (Path(folder) / "clip.mp4").write_bytes(b"clip")
        long_ago_s = time.time() - LEFTOVER_S - 1
        os.utime(left, (long_ago_s, long_ago_s))
        clear_scratch(tmp_path)
        assert sorted(tmp_path.iterdir()) == sorted([data, Path(under_way)])
    assert list(tmp_path.iterdir()) == [data]
