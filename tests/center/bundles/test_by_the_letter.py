"""docs/formats.md is enough: a verifier written by it alone finds real bundles whole and tampered ones not."""

import ast
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from alerts.bundles.trust import write_trust
from center.bundles.bench.scene import Scene, open_scene
from center.bundles.bench.victims import Victim, pack
from tests.center.bundles import by_the_letter
from tests.center.bundles.by_the_letter import verify


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with open_scene(2) as opened:
        yield opened


def test_every_whole_bundle_holds_by_the_letter(scene: Scene) -> None:
    keys = write_trust(scene.trust)
    assert [verify(case.raw, keys) for case in scene.cases] == [case.id for case in scene.cases]


@pytest.mark.parametrize("folder", ["records/", "files/", "log/", "seal", "because", "cover"])
def test_whatever_is_altered_does_not_hold_by_the_letter_either(scene: Scene, folder: str) -> None:
    keys, case = write_trust(scene.trust), scene.cases[0]
    victim = Victim(scene, case, scene.cases[1], Random(1))
    members = dict(victim.members)
    name = next(name for name in members if name.startswith(folder))
    raw = members[name]
    members[name] = raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:]
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever a broken file makes of it
        verify(pack(members), keys)


def test_the_verifier_knows_nothing_of_the_product() -> None:
    tree = ast.parse(Path(by_the_letter.__file__).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} & {"alerts", "center", "edge", "enforcement", "traceability"} == set()
