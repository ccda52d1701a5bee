"""Walks from a drawn box through small grey frames: where is what is in it on the next frame, and the next?

Points in the box are followed by sparse optical flow there and back; the result is held against how the
thing looked on its key frame and on the last frame it was surely seen on, and where flow fails it is searched
for by these looks. A walk never ends: where nothing is found, the box stays, is marked as not seen, and its
margin grows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from redact.plan import Box
from redact.track.keys import MOST_GROWTH, Guess, kept_inside, way

Grey = npt.NDArray[np.uint8]
"""H x W; one of a stretch's frames, all of one size."""

PATCH = 24
"""Side of the small square in which looks are compared."""
POINTS = 80
ROUND_TRIP = 1.0
"""Pixels by which a point may miss its start after going to the next frame and back."""
FEWEST = 6
"""Points from which a movement is believed."""
MOST_ZOOM = 1.06
"""Change of size from one frame to the next."""
ZOOMED = 4.0
"""Change of size from the key frame on."""
SAME = 0.8
"""Correlation with a look from which a place surely shows it ..."""
LIKE = 0.5
"""... from which flow is believed ..."""
STRANGE = 0.2
"""... and under which it is not, unless frame after frame looks the same."""
FLAT = 2.0
"""Grey levels of deviation under which a place has no look that could be found again."""
SEARCH = 0.5
"""Reach of a search around the expected place, of the size; as much again for every five frames unseen."""
WIDEST_SEARCH = 2.0
MARGIN = 0.03
"""Margin of a place that surely shows the thing, of its size."""
SURE_GROWTH, UNSURE_GROWTH, BLIND_GROWTH = 0.002, 0.012, 0.06
"""Growth of the margin a frame, of the size: like before, by flow alone, and unseen."""
NEWEST = 0.3
"""Weight of the last step in the speed."""
FARTHEST = 3.0
"""Sizes that a thing may have gone on since it was last recognised: it passes behind something."""


def _patch(grey: Grey, box: Box) -> npt.NDArray[np.float32]:
    """The box's content as a square of mean 0 and length 1; zeros if it is flat."""
    sx, sy = box.w / PATCH, box.h / PATCH
    place = np.array([[sx, 0, box.x + sx / 2 - 0.5], [0, sy, box.y + sy / 2 - 0.5]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    square = cv2.warpAffine(grey, place, (PATCH, PATCH), flags=flags, borderMode=cv2.BORDER_REPLICATE).astype(
        np.float32
    )
    square -= square.mean()
    length = float(np.linalg.norm(square))
    return square / length if length > FLAT * PATCH else np.zeros_like(square)


def _alike(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    return float((a * b).sum())


class _Walker:
    """The state of one walk. Boxes are in pixels of the small frames."""

    def __init__(self, grey: Grey, box: Box, speed: tuple[float, float]) -> None:
        self._grey, self._key_grey, self._key_box = grey, grey, box
        self._key_look = self._sure_look = self._look = _patch(grey, box)
        self._sure = (grey, box)
        self._box, self._speed = box, speed
        self._gone_on: Box | None = None
        self._margin, self._lost = 0.0, 0

    def step(self, grey: Grey) -> Guess:
        """Go on to the next frame."""
        expected = _moved(self._gone_on or self._box, self._speed)
        moved = self._flow(grey)
        likeness = 0.0
        if moved is not None:
            look = _patch(grey, moved)
            likeness = max(_alike(look, self._key_look), _alike(look, self._sure_look))
            if likeness < STRANGE and _alike(look, self._look) < SAME:
                moved = None
        if moved is not None and likeness >= LIKE:
            moved = self._settled(grey, moved)
        else:
            found = self._search(grey, expected)
            if found is not None:
                moved, likeness = found
        self._take(grey, moved, likeness, expected)
        return Guess(self._box, self._margin, moved is not None, self._gone_on)

    def _take(self, grey: Grey, moved: Box | None, likeness: float, expected: Box) -> None:
        side = max(self._box.w, self._box.h)
        recognised = moved is not None and likeness >= LIKE
        if recognised and self._lost == 0:  # a jump after a search is no speed
            dx, dy = way(self._box, moved or self._box)
            self._speed = (
                self._speed[0] + NEWEST * (dx - self._speed[0]),
                self._speed[1] + NEWEST * (dy - self._speed[1]),
            )
        self._lost = 0 if recognised else self._lost + 1
        if recognised:
            self._gone_on = None
        else:
            dx, dy = way(self._box, expected)
            if max(abs(dx), abs(dy)) <= FARTHEST * side:
                self._gone_on = kept_inside(expected, (grey.shape[1], grey.shape[0]))
        if moved is None:
            self._margin += BLIND_GROWTH * side
        else:
            self._box = moved
            self._look = _patch(grey, moved)
            if likeness >= SAME and _alike(self._look, self._key_look) >= LIKE:
                # not by the last look alone: what slowly slides over the thing would become its look
                self._sure, self._sure_look = (grey, moved), self._look
                self._margin = max(MARGIN * side, 0.8 * self._margin) + SURE_GROWTH * side
            else:
                self._margin += (SURE_GROWTH if recognised else UNSURE_GROWTH) * side
        self._margin = min(self._margin, MOST_GROWTH * side)
        self._grey = grey

    def _flow(self, grey: Grey) -> Box | None:
        """The box moved and zoomed as most points in it; None if too few can be followed."""
        points = _points(self._grey, self._box)
        if len(points) < FEWEST:
            return None
        window = int(min(31, max(9, min(self._box.w, self._box.h) / 2))) | 1
        options = {"winSize": (window, window), "maxLevel": 3, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
        start = points + np.array(self._speed, np.float32)
        there, found, _ = cv2.calcOpticalFlowPyrLK(self._grey, grey, points, start, **options)  # type: ignore[call-overload]
        home, again, _ = cv2.calcOpticalFlowPyrLK(grey, self._grey, there, points.copy(), **options)  # type: ignore[call-overload]
        missed = np.linalg.norm(home - points, axis=1)
        good = (found[:, 0] == 1) & (again[:, 0] == 1) & (missed <= ROUND_TRIP)
        if int(good.sum()) < max(FEWEST, len(points) // 5):
            return None
        return self._zoomed(points[good], there[good])

    def _zoomed(self, before: npt.NDArray[np.float32], after: npt.NDArray[np.float32]) -> Box:
        dx, dy = (float(value) for value in np.median(after - before, axis=0))
        half = len(before) // 2
        apart = np.linalg.norm(before[:half] - before[half : 2 * half], axis=1)
        wide = apart > 0.2 * max(self._box.w, self._box.h)
        zoom = 1.0
        if int(wide.sum()) >= FEWEST:
            later = np.linalg.norm(after[:half] - after[half : 2 * half], axis=1)
            zoom = float(np.clip(np.median(later[wide] / apart[wide]), 1 / MOST_ZOOM, MOST_ZOOM))
        whole = self._box.w * zoom / self._key_box.w
        zoom *= float(np.clip(whole, 1 / ZOOMED, ZOOMED)) / whole
        # points move with the zoom too: their median belongs to their own middle, not to the box's
        middle = np.median(before, axis=0)
        centre = np.array([self._box.x + self._box.w / 2, self._box.y + self._box.h / 2])
        x, y = centre + (dx, dy) + (zoom - 1) * (centre - middle)
        w, h = self._box.w * zoom, self._box.h * zoom
        return Box(float(x) - w / 2, float(y) - h / 2, w, h)

    def _settled(self, grey: Grey, box: Box) -> Box:
        """The box on the place nearby that looks most like the key frame, which undoes the drift of flow."""
        found = _best_place(self._key_grey, self._key_box, grey, box, 0.12, (1.0,))
        return found[0] if found is not None and found[1] >= SAME else box

    def _search(self, grey: Grey, expected: Box) -> tuple[Box, float] | None:
        reach = min(WIDEST_SEARCH, SEARCH * (1 + self._lost / 5))
        around = (expected,) if self._gone_on is None else (expected, self._box)
        found = [
            place
            for look in ((self._key_grey, self._key_box), self._sure)
            for where in around
            if (place := _best_place(*look, grey, where, reach, (0.9, 1.0, 1.1))) is not None
        ]
        best = max(found, key=lambda each: each[1], default=None)
        return best if best is not None and best[1] >= (SAME + LIKE) / 2 else None


def _moved(box: Box, by: tuple[float, float]) -> Box:
    return box._replace(x=box.x + by[0], y=box.y + by[1])


def _points(grey: Grey, box: Box) -> npt.NDArray[np.float32]:
    """N x 2 points worth following in the inner part of the box: its rim is mostly what lies behind."""
    inner = box.grown(-0.1 * box.w, -0.1 * box.h).snapped(grey.shape[1], grey.shape[0], 1)
    if inner is None:
        return np.empty((0, 2), np.float32)
    x0, y0, x1, y1 = inner
    part = np.ascontiguousarray(grey[y0:y1, x0:x1])
    apart = max(2.0, min(part.shape) / 14)
    corners = cv2.goodFeaturesToTrack(part, POINTS, 0.01, apart, blockSize=3)
    found = np.empty((0, 2), np.float32) if corners is None else corners.reshape(-1, 2)
    if len(found) < POINTS // 4:
        columns, rows = np.linspace(0, x1 - x0 - 1, 6), np.linspace(0, y1 - y0 - 1, 6)
        grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
        found = np.concatenate([found, grid])
    order = np.random.default_rng(0).permutation(len(found))  # pairs of them are to lie far apart
    return np.ascontiguousarray(found[order] + (x0, y0), np.float32)


def _best_place(
    source: Grey, look: Box, grey: Grey, around: Box, reach: float, zooms: Sequence[float]
) -> tuple[Box, float] | None:
    """The place within `reach` sizes of `around` that looks most like the box `look` of `source`, and how
    much (correlation); None if too little of either is in the picture.
    """
    height, width = grey.shape
    part = look.snapped(width, height, 1)
    if part is None or (part[2] - part[0]) * (part[3] - part[1]) < 0.6 * look.area:
        return None
    template = source[part[1] : part[3], part[0] : part[2]]
    if float(template.std()) < FLAT:  # it would look like everything
        return None
    best: tuple[Box, float] | None = None
    for zoom in zooms:
        scale = around.w / look.w * zoom, around.h / look.h * zoom
        shape = max(4, round(template.shape[1] * scale[0])), max(4, round(template.shape[0] * scale[1]))
        place = around.grown(around.w * reach, around.h * reach).snapped(width, height, 1)
        if place is None or place[2] - place[0] < shape[0] or place[3] - place[1] < shape[1]:
            continue
        scores = cv2.matchTemplate(
            grey[place[1] : place[3], place[0] : place[2]],
            cv2.resize(
                template, shape, interpolation=cv2.INTER_AREA if zoom * scale[0] < 1 else cv2.INTER_LINEAR
            ),
            cv2.TM_CCOEFF_NORMED,
        )
        _, score, _, (x, y) = cv2.minMaxLoc(np.nan_to_num(scores, posinf=0.0, neginf=0.0))
        if best is None or score > best[1]:
            # the look may stick out of its own picture: the whole box is placed, not the part that was seen
            sx, sy = shape[0] / template.shape[1], shape[1] / template.shape[0]
            left, top = place[0] + x - (part[0] - look.x) * sx, place[1] + y - (part[1] - look.y) * sy
            best = Box(left, top, look.w * sx, look.h * sy), float(score)
    return best


def walk(
    greys: Sequence[Grey],
    start: int,
    end: int,
    box: Box,
    speed: tuple[float, float] = (0.0, 0.0),
    stepped: Callable[[], None] = lambda: None,
) -> dict[int, Guess]:
    """Guesses for every frame from number `start`, on which the box was drawn, to `end`, before or after it.

    Numbers are places in `greys`; the box, and all boxes of the answer, are in their pixels. `speed`: how far
    it is known to go with each step. `stepped` is called after each frame.
    """
    walker = _Walker(greys[start], box, speed)
    found = {start: Guess(box, 0.0, True)}
    step = 1 if end >= start else -1
    for number in range(start + step, end + step, step):
        found[number] = walker.step(greys[number])
        stepped()
    return found


__all__ = ["Grey", "walk"]
