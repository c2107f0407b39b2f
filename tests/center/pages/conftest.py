"""One furnished centre for all tests of the pages; each test that changes something brings its own lead."""

from collections.abc import Iterator

import pytest

from tests.center.pages.scene import Scene, open_scene


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The demo county, four accounts, a box on line, nothing seen yet."""
    with open_scene(tmp_path_factory.mktemp("centre")) as opened:
        opened.box.be_online(opened.now)
        yield opened
