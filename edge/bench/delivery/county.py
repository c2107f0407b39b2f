"""A county for one round: a centre by its real command, its broker, an account to ask it with, boxes enrolled."""

import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from alerts.enrolment import enrol
from alerts.identity import Identity
from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.nursery import end_with_parent
from edge.bench.delivery.processes import Runner, free_port

CENTRE_USER = "teawatch-center"
JUDGE = "judge"
START_S = 60.0
PAGE = 200
MESSAGE_BYTES = 1_048_576
MODEL_CAMERA = "cam-street-01"
"""The demo county's camera of which each box gets a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the county is made of: `broker` is mosquitto or embedded; `database_url` is empty for SQLite."""

    broker: str
    database_url: str = ""

    @property
    def name(self) -> str:
        """As it stands in a file's name."""
        return f"{self.broker}-{'postgresql' if self.database_url else 'sqlite'}"


def usual_broker() -> str:
    """Mosquitto where it is installed."""
    return "mosquitto" if _mosquitto() else "embedded"


def camera_of(box: str) -> str:
    """The camera registered for this box."""
    return f"cam-{box}"


class County:
    """Made by `opened`. Whoever asks it while the centre is down gets httpx.TransportError."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder = folder
        self.site = site
        self.tenant = f"delivery-{secrets.token_hex(4)}"
        """Of its own, so that many counties may share a database."""
        self.data = folder / "center"
        self.web_port = free_port()
        self.broker_port = free_port()
        self.centre_mqtt_port = self.broker_port
        """Where the centre reaches the broker: a link's port, if one is put between."""
        self.centre = Runner(folder / "centre.log")
        self.broker = Runner(folder / "broker.log")
        self._passwords: dict[str, str] = {}
        self._client = httpx.AsyncClient(base_url=self.url, timeout=15)
        self._judge_password = ""

    @property
    def url(self) -> str:
        """The centre's address, past every link."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def is_embedded(self) -> bool:
        """Whether the broker is the centre's own child."""
        return self.site.broker == "embedded"

    async def set_up(self, boxes: Sequence[str]) -> None:
        """Centre, county, account and boxes, by the commands; broker and centre run at the end."""
        codes = await self._make_centre(boxes)
        await self.start_centre()
        states = [self.folder / box for box in boxes]
        for state, code in zip(states, codes, strict=True):
            await asyncio.to_thread(enrol, self.url, code, state)
        identities = [Identity.load(state) for state in states]
        self._passwords |= {each.mqtt_username: each.mqtt_password for each in identities}
        if not self.is_embedded:
            await self.start_broker()
        await self._sign_in()

    async def _make_centre(self, boxes: Sequence[str]) -> list[str]:
        self.data.mkdir(parents=True, mode=0o700)
        self._write_settings()
        register, data = self.folder / "county", ("--data", str(self.data))
        async with _clerk() as run:
            await run("center", "register", str(register), "--example", *data)
            _people_the_county(register, boxes)
            await run("center", "init", *data)
            await run("center", "register", str(register), *data)
            said = await run("center", "user", "add", JUDGE, "--role", "officer", *data)
            self._judge_password = said.split("\t")[1].strip()
            return [(await run("center", "enrol", box, *data)).strip() for box in boxes]

    def _write_settings(self) -> None:
        mqtt: dict[str, object] = {"port": self.centre_mqtt_port}
        if not self.is_embedded:
            self._passwords[CENTRE_USER] = secrets.token_urlsafe(16)
            password_file = self.folder / "centre.password"
            password_file.write_text(self._passwords[CENTRE_USER], encoding="utf-8")
            password_file.chmod(0o600)
            mqtt |= {"embedded": False, "username": CENTRE_USER, "password_file": str(password_file)}
        settings = {"tenant": self.tenant, "web": {"port": self.web_port}, "mqtt": mqtt, "log_level": "warning"}
        if self.site.database_url:
            settings["database_url"] = self.site.database_url
        (self.data / "center.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")

    async def start_centre(self) -> None:
        """By its command, in a program that can be told to die; returns when it serves."""
        front_door = [sys.executable, "-m", "center.mortal", str(self._boundary_file)]
        await self.centre.start([*front_door, "center", "serve", "--data", str(self.data)])
        deadline_s = time.monotonic() + START_S
        while not await self._answers():
            if not self.centre.runs or time.monotonic() > deadline_s:
                raise NothingToMeasure(f"the centre does not serve: {self.centre.last_words()}")
            await asyncio.sleep(0.05)

    def doom_centre(self, boundaries: int) -> None:
        """Let the centre pass so many of its writes, and die at the last. Raises ProcessLookupError."""
        self._boundary_file.write_text(str(boundaries), encoding="ascii")
        os.kill(self.centre.pid, signal.SIGUSR1)

    @property
    def _boundary_file(self) -> Path:
        return self.folder / "boundaries"

    async def start_broker(self, *, forgets: bool = False) -> None:
        """Mosquitto, with what its disk has kept or, if it forgets, without."""
        folder = self.folder / "broker"
        if forgets:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        await self.broker.start(await _mosquitto_command(folder, self.broker_port, self._passwords))
        deadline_s = time.monotonic() + START_S
        while not await _listens(self.broker_port):
            if not self.broker.runs or time.monotonic() > deadline_s:
                raise NothingToMeasure(f"the broker does not start: {self.broker.last_words()}")
            await asyncio.sleep(0.02)

    def embedded_broker(self) -> int:
        """The number of the centre's own broker. Raises ProcessLookupError where there is none now."""
        children = Path(f"/proc/{self.centre.pid}/task").glob("*/children")
        for pid in (int(word) for each in children for word in each.read_text().split()):
            if b"iotcore" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        raise ProcessLookupError

    async def ask(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 - whatever JSON the centre answers
        """What the centre answers to its judge."""
        answer = await self._client.get(path, params=query)
        answer.raise_for_status()
        return answer.json()

    async def ask_all(self, path: str) -> list[Mapping[str, Any]]:
        """Every item of a list that comes in pages."""
        items: list[Mapping[str, Any]] = []
        while True:
            page = await self.ask(path, limit=PAGE, offset=len(items))
            items += page["items"]
            if not page["items"] or len(items) >= page["total"]:
                return items

    async def close(self) -> None:
        """Nothing of it runs afterwards."""
        await self._client.aclose()
        await self.centre.kill()
        await self.broker.kill()

    async def _sign_in(self) -> None:
        answer = await self._client.post("/api/v1/session", json={"username": JUDGE, "password": self._judge_password})
        if not answer.is_success:
            raise NothingToMeasure(f"the centre lets its judge not in: {answer.text[:200]}")

    async def _answers(self) -> bool:
        """Whatever it says of its health: it may not have its broker yet."""
        try:
            await self._client.get("/api/v1/health", timeout=2)
        except httpx.TransportError:
            return False
        return True


@asynccontextmanager
async def opened(folder: Path, site: Site) -> AsyncIterator[County]:
    """A county that is closed at the end, whatever happens. It has nothing yet: `set_up`."""
    county = County(folder, site)
    try:
        yield county
    finally:
        await county.close()


@asynccontextmanager
async def _clerk() -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Runs `teawatch` commands, given word by word, and returns what each printed. Raises NothingToMeasure."""
    clerk = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "edge.bench.delivery.clerk",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=end_with_parent,
    )
    if clerk.stdin is None or clerk.stdout is None or clerk.stderr is None:
        raise TypeError("pipes were asked for")
    orders, answers, complaints = clerk.stdin, clerk.stdout, clerk.stderr

    async def run(*words: str) -> str:
        orders.write(json.dumps(words).encode() + b"\n")
        answer = await answers.readline()
        if not answer:
            said = (await complaints.read()).decode(errors="replace").strip().splitlines()
            raise NothingToMeasure(f"teawatch {' '.join(words[:2])}: {said[-1:]}")
        printed: str = json.loads(answer)
        return printed

    try:
        yield run
    finally:
        with suppress(ProcessLookupError):
            clerk.kill()
        await clerk.wait()


def _people_the_county(folder: Path, boxes: Sequence[str]) -> None:
    """A camera for each box, all of them copies of one of the example's."""
    county_file, ground_file = folder / "county.yaml", folder / "ground.geojson"
    county = yaml.safe_load(county_file.read_text(encoding="utf-8"))
    (model,) = (camera for camera in county["cameras"] if camera["id"] == MODEL_CAMERA)
    county["cameras"] = [model | {"id": camera_of(box), "device": box} for box in boxes]
    county_file.write_text(yaml.safe_dump(county, allow_unicode=True, sort_keys=False), encoding="utf-8")
    ground = json.loads(ground_file.read_text(encoding="utf-8"))
    (view,) = (each for each in ground["features"] if each["properties"]["id"] == MODEL_CAMERA)
    others = [each for each in ground["features"] if each["properties"]["kind"] != "camera"]
    views = [view | {"properties": view["properties"] | {"id": camera_of(box)}} for box in boxes]
    ground["features"] = others + views
    ground_file.write_text(json.dumps(ground), encoding="utf-8")


def _mosquitto() -> str | None:
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


async def _mosquitto_command(folder: Path, port: int, passwords: Mapping[str, str]) -> list[str]:
    program = _mosquitto()
    if program is None:
        raise NothingToMeasure("Mosquitto is not installed: apt-get install mosquitto, or --broker embedded")
    password_file, config = folder / "passwords", folder / "mosquitto.conf"
    password_file.write_text("".join(f"{name}:{password}\n" for name, password in passwords.items()), encoding="utf-8")
    password_file.chmod(0o600)
    hashing = await asyncio.create_subprocess_exec("mosquitto_passwd", "-U", str(password_file))
    await hashing.wait()
    user = "root" if os.geteuid() == 0 else os.environ.get("USER", "nobody")
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {password_file}\n"
        f"persistence true\npersistence_location {folder}/\nautosave_interval 1\n"
        f"max_packet_size {MESSAGE_BYTES}\nlog_dest stderr\nlog_type error\nuser {user}\n",
        encoding="utf-8",
    )
    return [program, "-c", str(config)]


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
