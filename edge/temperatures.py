"""How hot the box is, by the sensors that its kernel names."""

from collections.abc import Iterator
from pathlib import Path

SYSFS = Path("/sys/class")

FIXED_ZONES = frozenset({"PMIC-Die"})
"""Jetson's power chip has no sensor and always answers 100 °C."""

_MILLIDEGREES = 1000.0
_COLDEST_C, _HOTTEST_C = -40.0, 150.0


def temperatures_c(sysfs: Path = SYSFS) -> dict[str, float]:
    """Degrees Celsius by sensor: thermal zones by their type (`CPU-therm`), then hwmon chips by name and label.

    A sensor that is asleep, gone or answers nonsense is left out; a machine without sensors (a container) has none.
    Units and files: Linux's own driver-api/thermal/sysfs-api.rst and hwmon/sysfs-interface.rst.
    """
    found: dict[str, float] = {}
    for name, file in (*_zones(sysfs), *_chips(sysfs)):
        try:
            degrees_c = int(_text(file)) / _MILLIDEGREES
        except (OSError, ValueError):
            continue
        if _COLDEST_C < degrees_c < _HOTTEST_C:
            found[_unused(name, found)] = degrees_c
    return found


def _zones(sysfs: Path) -> Iterator[tuple[str, Path]]:
    for folder in _in_order(sysfs / "thermal", "thermal_zone"):
        name = _text_or(folder / "type", folder.name)
        if name not in FIXED_ZONES:
            yield name, folder / "temp"


def _chips(sysfs: Path) -> Iterator[tuple[str, Path]]:
    for folder in _in_order(sysfs / "hwmon", "hwmon"):
        if (folder / "device" / "temp").exists():
            continue  # a thermal zone, shown a second time
        chip = _text_or(folder / "name", folder.name)
        for file in sorted(folder.glob("temp*_input")):
            label = _text_or(file.with_name(file.name.replace("_input", "_label")), "")
            yield f"{chip} {label}".strip(), file


def _in_order(folder: Path, prefix: str) -> list[Path]:
    numbered = (path for path in folder.glob(f"{prefix}*") if path.name.removeprefix(prefix).isdecimal())
    return sorted(numbered, key=lambda path: int(path.name.removeprefix(prefix)))


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace").strip()


def _text_or(file: Path, otherwise: str) -> str:
    try:
        return _text(file) or otherwise
    except OSError:
        return otherwise


def _unused(name: str, used: dict[str, float]) -> str:
    """`name`, or `name 2` and so on where several sensors are called the same."""
    number = 1
    unused = name
    while unused in used:
        number += 1
        unused = f"{name} {number}"
    return unused
