from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_figures() -> Iterator[None]:
    """Boxes that run at the same time would want one port for their figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEAWATCH_EDGE_METRICS_PORT", "0")
        yield
