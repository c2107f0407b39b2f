"""Reference views of cameras: how one is made, and where the box keeps it."""

import os
from datetime import datetime
from pathlib import Path
from statistics import median

import numpy as np

from edge.views import ACROSS, DOWN, HEIGHT, STEADY_ABOVE, WIDTH, Field, Reference, Sample, peak_of

REFERENCE_S = 120.0
REFERENCE_LOOKS = 12
ARRAYS = ("field", "fine", "coarse")
NUMBERS = ("sharpness", "own_peak", "noise")


class ReferenceMaker:
    """Gathers a reference from healthy pictures; one whose halves are different views is begun again."""

    def __init__(self) -> None:
        self._samples: list[Sample] = []
        self._noises: list[float] = []
        self._first_s = 0.0
        self._next_s = 0.0

    def look(self, given: Sample, noise: float | None, at_s: float, utc: datetime) -> Reference | None:
        """The reference once it is complete."""
        if not self._samples:
            self._first_s = at_s
        if self._samples and at_s < self._next_s:
            return None
        self._next_s = at_s + REFERENCE_S / REFERENCE_LOOKS / 2
        self._samples.append(given)
        self._noises += [] if noise is None else [noise]
        if len(self._samples) < REFERENCE_LOOKS or at_s - self._first_s < REFERENCE_S:
            return None
        samples, noises, self._samples, self._noises = self._samples, self._noises, [], []
        half = len(samples) // 2
        first, second = (_mean(part) for part in (samples[:half], samples[half:]))
        if peak_of(first, second).near < STEADY_ABOVE:
            return None
        field = _mean(samples)
        return Reference(
            field=field,
            fine=np.mean([each.fine for each in samples], axis=0),
            coarse=np.mean([each.coarse for each in samples], axis=0),
            sharpness=median(each.sharpness for each in samples),
            own_peak=median(peak_of(field, each.field).near for each in samples),
            noise=median(noises),
            made_at=utc,
        )


def _mean(samples: list[Sample]) -> Field:
    result: Field = np.mean([each.field for each in samples], axis=0).astype(np.complex64)
    return result


class ReferenceShelf:
    """One file for each camera in a folder of the box's state.

    A command that wants a new reference removes the file: the running box sees that, calls `HealthWatch.renew()` and
    stores what is made from then on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, camera: str) -> Reference | None:
        """What is stored; None where nothing is, or nothing that can be read: then a new one will be made."""
        try:
            with self._path(camera).open("rb") as file, np.load(file, allow_pickle=False) as stored:
                if [stored[name].shape for name in ARRAYS] != [(HEIGHT, WIDTH), (DOWN, ACROSS), (DOWN, ACROSS)]:
                    return None
                return Reference(
                    field=stored["field"].astype(np.complex64),
                    fine=stored["fine"].astype(np.float32),
                    coarse=stored["coarse"].astype(np.float32),
                    sharpness=float(stored["sharpness"]),
                    own_peak=float(stored["own_peak"]),
                    noise=float(stored["noise"]),
                    made_at=datetime.fromisoformat(str(stored["made_at"])),
                )
        except Exception:  # noqa: BLE001 - a damaged file fails in a dozen ways, zlib's and the tokenizer's among them
            return None

    def save(self, camera: str, reference: Reference) -> None:
        """Store it, whole or not at all. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(camera)
        partial = path.with_suffix(".partial")
        values = {name: getattr(reference, name) for name in (*ARRAYS, *NUMBERS)}
        with partial.open("wb") as file:
            np.savez_compressed(file, **values, made_at=np.array(reference.made_at.isoformat()))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    def cameras(self) -> tuple[str, ...]:
        """Of which cameras one is stored, by name. Raises OSError."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.npz")))

    def has(self, camera: str) -> bool:
        """Whether one is stored."""
        return self._path(camera).exists()

    def remove(self, camera: str) -> bool:
        """Have a new one made; whether there was one."""
        had = self.has(camera)
        self._path(camera).unlink(missing_ok=True)
        return had

    def _path(self, camera: str) -> Path:
        return self._folder / f"{camera}.npz"
