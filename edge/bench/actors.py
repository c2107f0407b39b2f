"""One visit, painted into the pictures of a film, and the truth about it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.bench.events import Event, Sighting
from edge.bench.stage import Picture
from edge.bench.visits import Visit
from edge.boxes import Box

_TEXTURE = 0.8
_STUDIO = 219 / 255
_SOLID = 0.5
_DARKEST, _BRIGHTEST = 30, 220
_SHUTTER = 0.3
"""Share of a picture's duration in which it is exposed: what moves is blurred over that share of its step."""

Area = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels, all even."""


class Actor:
    """Paints one visit into the film's pictures and keeps the truth about it."""

    def __init__(self, visit: Visit, still: Picture, *, rate: int, size_px: tuple[int, int]) -> None:
        """`still` is the empty scene, against which the wanted contrast is reached in the middle of the visit."""
        self.visit = visit
        self._rate = rate
        self._size_px = size_px
        self._seen: list[tuple[float, Box, int]] = []
        scale = visit.height_px / visit.cutout.pictures.shape[1]
        self._poses = [
            cv2.resize(pose, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for pose in visit.cutout.pictures
        ]
        self._tone = self._toned(still)

    def paint(self, picture: Picture, number: int) -> None:
        """Put the thing into picture `number` of the film (I420, changed in place) if its visit is then."""
        step = number - self.visit.first
        if not 0 <= step < len(self.visit.places):
            return
        pose, area = self._pose(step)
        if area is None:
            return
        left, top, right, bottom = area
        columns, rows = self._size_px
        luma = picture[top:bottom, left:right]
        colours, alpha = pose[:, :, :3], pose[:, :, 3]
        encoded = cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_BGR2YUV)
        share = (alpha / np.float32(255)).astype(np.float32)
        thing = np.clip(encoded[:, :, 0] * (_TEXTURE * _STUDIO) + self._tone, 16, 235)
        luma[:] = luma + (thing - luma) * share
        for plane, channel in enumerate((1, 2)):
            chroma = picture[rows + plane * rows // 4 : rows + (plane + 1) * rows // 4].reshape(rows // 2, columns // 2)
            part = chroma[top // 2 : bottom // 2, left // 2 : right // 2]
            part[:] = part + (encoded[::2, ::2, channel].astype(np.float32) - part) * share[::2, ::2]
        self._note(number, share, left, top)

    def event(self) -> Event | None:
        """The truth, once the film is made; None if nothing of it could be seen."""
        most = max((area for _, _, area in self._seen), default=0)
        if not most:
            return None
        return Event(
            number=self.visit.number,
            what=self.visit.cutout.what,
            way=self.visit.way,
            height=round(self.visit.height_px / self._size_px[1], 4),
            contrast=round(self.visit.contrast, 1),
            between_keys=self.visit.between_keys,
            track=tuple(Sighting(time_s, box, round(area / most, 3)) for time_s, box, area in self._seen),
        )

    def _pose(self, step: int) -> tuple[Picture, Area | None]:
        """The thing as it looks in this picture, cut to the window, and the even area it covers there."""
        pose = self._poses[self.visit.cutout.pose(step / self._rate)]
        x, y = self.visit.places[step]
        left, top = int(np.floor(x / 2)) * 2, int(np.floor(y / 2)) * 2
        height, width = (pose.shape[0] + 5) // 2 * 2, (pose.shape[1] + 5) // 2 * 2
        shift = np.array([[1, 0, x - left], [0, 1, y - top]], np.float32)
        moved = cv2.warpAffine(pose, shift, (width, height), flags=cv2.INTER_LINEAR)
        placed = self._blurred(np.asarray(moved, np.uint8), step)
        low_x, _, high_x, _ = self.visit.window
        placed[:, : max(0, low_x - left), 3] = 0
        placed[:, max(0, high_x - left) :, 3] = 0
        columns, rows = self._size_px
        inner = (max(left, 0), max(top, 0), min(left + width, columns), min(top + height, rows))
        if inner[0] >= inner[2] or inner[1] >= inner[3]:
            return placed, None
        return placed[inner[1] - top : inner[3] - top, inner[0] - left : inner[2] - left], inner

    def _blurred(self, pose: Picture, step: int) -> Picture:
        places = self.visit.places
        speed_px = abs(places[min(step + 1, len(places) - 1), 0] - places[max(step - 1, 0), 0]) / 2
        smear = int(speed_px * _SHUTTER)
        return np.asarray(cv2.blur(pose, (smear, 1)), np.uint8) if smear > 1 else pose

    def _toned(self, still: Picture) -> float:
        """What must be added to the thing's luma so that it stands out from what it covers by the wanted contrast."""
        pose, area = self._pose(len(self.visit.places) // 2)
        if area is None:
            return 0.0
        left, top, right, bottom = area
        share = pose[:, :, 3] / 255
        weight = float(share.sum()) or 1.0
        ground = float((still[top:bottom, left:right] * share).sum()) / weight
        grey = cv2.cvtColor(np.ascontiguousarray(pose[:, :, :3]), cv2.COLOR_BGR2GRAY)
        own = float((grey * share).sum()) / weight * _TEXTURE * _STUDIO
        wanted = self.visit.contrast if own > ground else -self.visit.contrast
        return ground - own + (wanted if _DARKEST <= ground + wanted <= _BRIGHTEST else -wanted)

    def _note(self, number: int, share: NDArray[np.float32], left: int, top: int) -> None:
        solid = share > _SOLID
        rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
        if not len(rows):
            return
        width, height = self._size_px
        box = Box(
            round((left + columns[0]) / width, 5),
            round((top + rows[0]) / height, 5),
            round((left + columns[-1] + 1) / width, 5),
            round((top + rows[-1] + 1) / height, 5),
        )
        self._seen.append((round(number / self._rate, 4), box, int(solid.sum())))
