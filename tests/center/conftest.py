"""A centre with the demo county for every test that asks for one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from center.intake.bench.servers import PostgreSQL
from tests.center.postgres import Databases
from tests.center.stage import Box, Stage, Web, open_stage, open_web


@pytest.fixture(autouse=True)
def own_umask() -> Iterator[None]:
    """The command line tightens this process's umask; the next test gets the old one back."""
    before = os.umask(0o077)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """The demo county's centre, nothing started, its clock set by hand."""
    with open_stage(tmp_path / "centre") as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """A PostgreSQL server; tests that ask for it are marked `system("postgresql")`."""
    with PostgreSQL(durable=False) as server:
        yield Databases(server)


ON_BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.system("postgresql")))
"""Parameters of a fixture whose tests run on both databases."""


@pytest.fixture(params=ON_BOTH)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Empty for SQLite, else a PostgreSQL database with the demo county."""
    if request.param == "sqlite":
        yield ""
        return
    with request.getfixturevalue("postgres").county() as url:
        yield url


@pytest.fixture
def box(stage: Stage) -> Box:
    """The demo's box, enrolled."""
    return stage.enrol_box()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """The same, answering HTTP in this process."""
    with open_web(tmp_path / "centre") as opened:
        yield opened


@pytest.fixture
def web_box(web: Web) -> Box:
    """The demo's box, enrolled at that centre."""
    return web.stage.enrol_box()
