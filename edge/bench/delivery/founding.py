"""How a county of the bench comes to be: by the commands a person would give, on the example's ground."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

JUDGE = "judge"
MODEL_CAMERA = "cam-street-01"
"""The demo county's camera of which each box gets a copy."""


@dataclass(frozen=True, slots=True)
class Founded:
    """A centre that has not run yet: the password of its judge, and a code for each box."""

    judge_password: str
    codes: Sequence[str]


def camera_of(box: str, number: int = 1) -> str:
    """One of the cameras registered for this box, counted from 1."""
    return f"cam-{box}" if number == 1 else f"cam-{box}-{number}"


async def found(
    run: Callable[..., Awaitable[str]], folder: Path, boxes: Sequence[str], *, cameras_each: int = 1
) -> Founded:
    """A centre, whose settings are there already, with an account and these boxes' cameras.

    `run` gives a command of the centre's, word by word, and returns what it printed, or raises NothingToMeasure.
    """
    register = folder / "county"
    await run("register", str(register), "--example")
    cameras = {camera_of(box, number): box for box in boxes for number in range(1, cameras_each + 1)}
    _people_the_county(register, cameras)
    await run("init")
    await run("register", str(register))
    said = await run("user", "add", JUDGE, "--role", "officer")
    codes = [(await run("enrol", box)).strip() for box in boxes]
    return Founded(said.split("\t")[1].strip(), codes)


def _people_the_county(folder: Path, cameras: Mapping[str, str]) -> None:
    """These cameras, each of a box, all of them copies of one of the example's."""
    county_file, ground_file = folder / "county.yaml", folder / "ground.geojson"
    county = yaml.safe_load(county_file.read_text(encoding="utf-8"))
    (model,) = (camera for camera in county["cameras"] if camera["id"] == MODEL_CAMERA)
    county["cameras"] = [model | {"id": camera, "device": box} for camera, box in cameras.items()]
    county_file.write_text(yaml.safe_dump(county, allow_unicode=True, sort_keys=False), encoding="utf-8")
    ground = json.loads(ground_file.read_text(encoding="utf-8"))
    (view,) = (each for each in ground["features"] if each["properties"]["id"] == MODEL_CAMERA)
    others = [each for each in ground["features"] if each["properties"]["kind"] != "camera"]
    views = [view | {"properties": view["properties"] | {"id": camera}} for camera in cameras]
    ground["features"] = others + views
    ground_file.write_text(json.dumps(ground), encoding="utf-8")
