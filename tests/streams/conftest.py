"""What the tests of `streams` may ask for."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.streams.clocks import FrozenClock, QuickClock
from tests.streams.films import FilmMaker

# How long an example takes says nothing on a shared machine.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


@pytest.fixture
def film(tmp_path: Path) -> FilmMaker:
    return FilmMaker(tmp_path)


@pytest.fixture
def quick_clock() -> QuickClock:
    return QuickClock()


@pytest.fixture
def frozen_clock() -> FrozenClock:
    return FrozenClock()
