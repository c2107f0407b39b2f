"""One S3 service for all tests of stores."""

from collections.abc import Iterator

import pytest

from tests.center.store.seaweed import Seaweed, running


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with running(tmp_path_factory.mktemp("seaweed")) as started:
        yield started
