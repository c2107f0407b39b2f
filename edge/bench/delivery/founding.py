"""How a county of the bench comes to be: by the commands a person would give, on the example's ground."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.nursery import end_with_parent

JUDGE = "judge"
MODEL_CAMERA = "cam-street-01"
"""The demo county's camera of which each box gets a copy."""


@dataclass(frozen=True, slots=True)
class Founded:
    """A centre that has not run yet: the password of its judge, and a code for each box."""

    judge_password: str
    codes: Sequence[str]


def camera_of(box: str) -> str:
    """The camera registered for this box."""
    return f"cam-{box}"


async def found(folder: Path, data: Path, boxes: Sequence[str]) -> Founded:
    """A centre in `data`, whose settings are there already, with an account and these boxes' cameras.

    Raises NothingToMeasure.
    """
    register, where = folder / "county", ("--data", str(data))
    async with commands() as run:
        await run("center", "register", str(register), "--example", *where)
        _people_the_county(register, boxes)
        await run("center", "init", *where)
        await run("center", "register", str(register), *where)
        said = await run("center", "user", "add", JUDGE, "--role", "officer", *where)
        codes = [(await run("center", "enrol", box, *where)).strip() for box in boxes]
    return Founded(said.split("\t")[1].strip(), codes)


@asynccontextmanager
async def commands() -> AsyncIterator[Callable[..., Awaitable[str]]]:
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
