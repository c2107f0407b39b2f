"""A county for one round: a centre by its real command, its broker and database, an account to ask it with, boxes."""

import asyncio
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from alerts.enrolment import enrol
from alerts.errors import CentreUnreachable
from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.brokers import Mosquitto
from edge.bench.delivery.founding import JUDGE, found
from edge.bench.delivery.offices import Cradle, Office
from edge.bench.delivery.postgres import Postgres
from edge.bench.delivery.processes import free_port
from edge.bench.delivery.site import Site

START_S = 300.0
"""A machine with much other work takes its time; one that takes longer has hung."""

PAGE = 200
LOOK_AGAIN_S = 0.5


class County:
    """Made by `opened`. Whoever asks it while the centre is down gets httpx.TransportError."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder = folder
        self.site = site
        self.tenant = f"delivery-{secrets.token_hex(4)}"
        """Of its own, so that many counties may share a database."""
        self.data = folder / "center"
        self.web_port = free_port()
        self.mosquitto = Mosquitto(folder / "broker") if site.broker == "mosquitto" else None
        self.broker_port = self.mosquitto.port if self.mosquitto else free_port()
        self.centre_mqtt_port = self.broker_port
        """Where the centre reaches the broker: a link's port, if one is put between."""
        own = site.database == "postgresql" and not site.database_url
        self.database = Postgres(folder / "database") if own else None
        where = ("--data", str(self.data))
        self.cradle = Cradle(folder)
        self.centre = Office("centre", ("center", "serve", *where), self.cradle)
        shares = [f"{number + 1}/{site.workers}" for number in range(site.workers)]
        self.workers = [
            Office(f"worker-{share[0]}", ("center", "intake", "--worker", share, *where), self.cradle)
            for share in shares
        ]
        self.falls: list[str] = []
        """What ended by itself."""
        self._client = httpx.AsyncClient()
        self.judge_password = ""

    @property
    def url(self) -> str:
        """The centre's address, past every link."""
        return f"{'https' if self.site.tls else 'http'}://127.0.0.1:{self.web_port}"

    async def set_up(self, boxes: Sequence[str], *, cameras_each: int = 1) -> None:
        """Centre, county, account and boxes, by the commands; everything runs at the end."""
        self.data.mkdir(parents=True, mode=0o700)
        await self.cradle.start()
        if self.database:
            await self.database.create()
            await self.database.start()
        self._write_settings()
        founded = await found(self.command, self.folder, boxes, cameras_each=cameras_each)
        self.judge_password = founded.judge_password
        await self.start(self.centre)
        for box, code in zip(boxes, founded.codes, strict=True):
            await self._enrol(box, code)
        if self.mosquitto:
            await self.mosquitto.start()
        for worker in self.workers:
            await self.start(worker)
        await self._sign_in()

    def _write_settings(self) -> None:
        site = self.site
        mqtt: dict[str, object] = {"port": self.centre_mqtt_port, "tls": site.tls}
        if self.mosquitto:
            mqtt |= {"embedded": False, "public_port": self.broker_port, "mosquitto": str(self.mosquitto.folder)}
        database_url = self.database.url if self.database else site.database_url
        settings = {
            "tenant": self.tenant,
            "web": {"port": self.web_port, "tls": site.tls},
            "mqtt": mqtt,
            "intake": {"workers": site.workers},
            "database_url": database_url,
            "log_level": "warning",
        }
        (self.data / "center.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")

    async def start(self, office: Office) -> None:
        """A process of the centre; returns when it serves, if people are to be served. Raises NothingToMeasure."""
        await office.start()
        if office is not self.centre:
            return
        deadline_s = time.monotonic() + START_S
        while not await self._answers():
            if not self.centre.runs or time.monotonic() > deadline_s:
                raise NothingToMeasure(f"the centre does not serve: {self.cradle.last_words()}")
            await asyncio.sleep(0.05)

    @property
    def offices(self) -> Sequence[Office]:
        """Every process of the centre."""
        return (self.centre, *self.workers)

    async def watch(self) -> None:
        """Start what ends by itself again, as a service manager would, and write it down; until cancelled."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            for office in self.offices:
                if await office.revive():
                    self.falls.append(f"{office.name} fell over: {self.cradle.last_words()}")

    def embedded_broker(self) -> int:
        """The number of the centre's own broker. Raises ProcessLookupError where there is none now."""
        children = Path(f"/proc/{self.centre.pid}/task").glob("*/children")
        for pid in (int(word) for each in children for word in each.read_text().split()):
            if b"iotcore" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        raise ProcessLookupError

    async def command(self, *words: str) -> str:
        """A command of the centre's, by a process of its own. Raises NothingToMeasure."""
        return await self.cradle.command("center", *words, "--data", str(self.data))

    async def ask(self, path: str, *, patience_s: float = 0.0, **query: str | int) -> Any:  # noqa: ANN401 - whatever JSON the centre answers
        """What the centre answers to its judge; a centre that does not answer is asked again for so long."""
        deadline_s = time.monotonic() + patience_s
        while True:
            try:
                answer = await self._client.get(path, params=query)
                answer.raise_for_status()
                return answer.json()
            except httpx.HTTPError:
                if time.monotonic() >= deadline_s:
                    raise
            await asyncio.sleep(LOOK_AGAIN_S)

    async def ask_all(self, path: str, *, patience_s: float = 0.0) -> list[Mapping[str, Any]]:
        """Every item of a list that comes in pages."""
        items: list[Mapping[str, Any]] = []
        while True:
            page = await self.ask(path, patience_s=patience_s, limit=PAGE, offset=len(items))
            items += page["items"]
            if not page["items"] or len(items) >= page["total"]:
                return items

    async def close(self) -> None:
        """Nothing of it runs afterwards."""
        await self._client.aclose()
        await self.cradle.close()
        if self.mosquitto:
            await self.mosquitto.server.kill()
        if self.database:
            await self.database.server.kill()

    async def _enrol(self, box: str, code: str) -> None:
        """Asks again where a busy machine does not answer in time: the code is good for the same box."""
        deadline_s = time.monotonic() + START_S
        while True:
            try:
                await asyncio.to_thread(enrol, self.url, code, self.folder / box)
            except CentreUnreachable:
                if time.monotonic() > deadline_s:
                    raise
            else:
                return

    async def _sign_in(self) -> None:
        context = ssl.create_default_context(cafile=str(self.data / "secrets" / "ca.crt")) if self.site.tls else False
        await self._client.aclose()
        self._client = httpx.AsyncClient(base_url=self.url, timeout=60, verify=context)
        answer = await self._client.post("/api/v1/session", json={"username": JUDGE, "password": self.judge_password})
        if not answer.is_success:
            raise NothingToMeasure(f"the centre lets its judge not in: {answer.text[:200]}")

    async def _answers(self) -> bool:
        """Whether it takes connections: it may not have its broker yet."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.web_port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def opened(folder: Path, site: Site) -> AsyncIterator[County]:
    """A county that is closed at the end, whatever happens. It has nothing yet: `set_up`."""
    county = County(folder, site)
    try:
        yield county
    finally:
        await county.close()
