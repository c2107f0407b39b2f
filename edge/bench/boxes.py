"""Boxes to be measured: the demo's street camera, once for each film, with a network of one's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from edge.bench.box_lap import DEMO
from edge.config import Loaded, read_config


def box_of(
    card: Path,
    films: Sequence[Path],
    folder: Path,
    *,
    ids: Sequence[str] = (),
    rules: Sequence[Mapping[str, Any]] | None = None,
    **keys: object,
) -> Loaded:
    """One camera for each film, `keys` as in its configuration; `rules` replace the demo's, `ids` cam-1 and so on."""
    names = ids or [f"cam-{number}" for number in range(1, len(films) + 1)]
    street = yaml.safe_load(DEMO.read_text(encoding="utf-8"))["cameras"][0]
    cameras = [
        {**street, "id": name, "url": str(film.resolve()), **keys} for name, film in zip(names, films, strict=True)
    ]
    if rules is not None:
        cameras = [{**camera, "rules": list(rules)} for camera in cameras]
    path = folder / "box.yaml"
    path.write_text(yaml.safe_dump({"detector": {"model": str(card)}, "cameras": cameras}), encoding="utf-8")
    return read_config(path)
