"""What the tests of `streams` may ask for."""

from pathlib import Path

import pytest

from tests.streams.clocks import FrozenClock, QuickClock
from tests.streams.films import FilmMaker


@pytest.fixture
def film(tmp_path: Path) -> FilmMaker:
    return FilmMaker(tmp_path)


@pytest.fixture
def quick_clock() -> QuickClock:
    return QuickClock()


@pytest.fixture
def frozen_clock() -> FrozenClock:
    return FrozenClock()
