"""The centre's composition root: everything is made here, once, and handed on as plain arguments."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI

from center.database import Database
from center.feed import Hub
from center.office import Office, utc_now
from center.settings import Settings


def create_app(settings: Settings, *, now: Callable[[], datetime] = utc_now) -> FastAPI:
    """The centre as an ASGI application, not yet started; its lifespan starts the database, broker and intake."""
    hub = Hub()
    office = Office(settings=settings, database=Database(settings.sqlalchemy_url, hub=hub), hub=hub, now=now)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        hub.close()
        office.database.close()

    app = FastAPI(title="TeaWatch centre", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.office = office
    return app
