"""The map's GeoJSON: the register as it stands, or stood, and nothing private in it."""

import json
from datetime import timedelta
from typing import Any

from shapely.geometry import shape

from tests.center.pages.scene import INTRUSION, PARKING, Scene


def collection(scene: Scene, path: str, name: str = "officer-a", language: str = "en") -> dict[str, Any]:
    with scene.signed_in(name, language=language) as client:
        answer = client.get(path, headers={"Accept": "application/geo+json"})
    assert answer.headers["content-type"] == "application/geo+json"
    found: dict[str, Any] = json.loads(answer.text)
    return found


def layer(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in found["features"] if each["properties"]["layer"] == name]


def test_the_map_holds_the_whole_register_as_valid_geometry(scene: Scene) -> None:
    found = collection(scene, "/map/shapes")
    assert all(shape(feature["geometry"]).is_valid for feature in found["features"])
    polygons = [each for each in layer(found, "plot") if each["geometry"]["type"] == "Polygon"]
    assert {each["properties"]["name"] for each in polygons} == {"Plot 1", "Plot 2", "East Slope", "West Slope"}
    assert len(layer(found, "grid")) == 3
    assert len(layer(found, "view")) == 2


def test_the_map_speaks_the_visitors_language(scene: Scene) -> None:
    names = {each["properties"]["name"] for each in collection(scene, "/map/shapes", language="zh-CN")["features"]}
    assert {"一号地块", "云溪阳光茶厂", "茶市街一号网格"} <= names


def test_the_map_names_no_grower(scene: Scene) -> None:
    assert "Grower" not in json.dumps(collection(scene, "/map/shapes"))


def test_leads_are_for_those_who_check_them(scene: Scene) -> None:
    scene.box.see(PARKING, "shapes-1", scene.now)
    (pile,) = (
        each for each in layer(collection(scene, "/map/shapes"), "lead") if each["properties"]["id"] == PARKING.camera
    )
    assert int(pile["properties"]["label"]) >= 1
    assert layer(collection(scene, "/map/shapes", "technician"), "lead") == []


def test_a_leads_map_marks_its_view_its_plot_and_its_place(scene: Scene) -> None:
    lead = scene.box.see(INTRUSION, "shapes-2", scene.now - timedelta(minutes=4))
    found = collection(scene, f"/leads/{lead}/shapes")
    near = {
        (each["properties"]["layer"], each["properties"]["id"])
        for each in found["features"]
        if each["properties"]["near"]
    }
    assert {("view", "cam-garden-01"), ("plot", "qs-01"), ("lead", lead)} <= near
    assert not {layer for layer, _ in near} & {"grid"}
    (spot,) = layer(found, "lead")
    (view,) = (each for each in layer(found, "view") if each["properties"]["id"] == "cam-garden-01")
    assert shape(view["geometry"]).contains(shape(spot["geometry"]))
