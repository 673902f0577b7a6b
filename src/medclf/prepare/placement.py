"""Where the samples of an array lie in the image that it was made from, and the reverse.

Every step that moves samples (turning, cropping, resampling) says so by one placement. Placements
are joined in the order of the steps, so that a finding in a prepared array can be pointed at in
the patient, and a place in the patient found in the array. No step shears or turns by less than
a right angle; so each axis of the array runs along one axis of the image, evenly, and the inverse
is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid

Points = NDArray[np.floating]


@dataclass(frozen=True)
class Placement:
    """The place of an array in an image.

    Args:
        order: For each axis of the array, the axis of the image along which it runs.
        start: Where its first sample lies on that axis, in samples of the image.
        step: How far its samples lie apart, in samples of the image; below 0 where it runs the
            other way.
    """

    order: tuple[int, ...]
    start: tuple[float, ...]
    step: tuple[float, ...]

    def to_image(self, points: Points) -> NDArray[np.float64]:
        """Tell where samples of the array lie in the image: (..., D) -> (..., D).

        Example:
            >>> Placement((0, 1), (10.0, 0.0), (2.0, 0.5)).to_image(np.array([1, 1])).tolist()
            [12.0, 0.5]
        """
        points = np.asarray(points, np.float64)
        found = np.empty(points.shape, np.float64)
        found[..., list(self.order)] = points * self.step + self.start
        return found

    def to_array(self, points: Points) -> NDArray[np.float64]:
        """Tell which samples of the array lie at places of the image: (..., D) -> (..., D)."""
        along = np.asarray(points, np.float64)[..., list(self.order)]
        return np.asarray((along - self.start) / self.step)

    def after(self, earlier: "Placement") -> "Placement":
        """Join two steps: this one was made from what the earlier one made."""
        axes = [
            (earlier.order[axis], earlier.start[axis], earlier.step[axis]) for axis in self.order
        ]
        return Placement(
            tuple(order for order, _, _ in axes),
            tuple(at + unit * here for (_, at, unit), here in zip(axes, self.start, strict=True)),
            tuple(unit * here for (_, _, unit), here in zip(axes, self.step, strict=True)),
        )

    def grid(self, image: Grid) -> Grid:
        """Give the array's own grid, as far as that of the image is known."""
        order, spacing, axes, origin = list(self.order), image.spacing_mm, image.axes, None
        if image.axes is not None:
            axes = image.axes[order] * np.sign(self.step)[:, None]
        if spacing is not None:
            steps = zip(self.order, self.step, strict=True)
            spacing = tuple(spacing[axis] * abs(step) for axis, step in steps)
        if image.origin_mm is not None and axes is not None and spacing is not None:
            origin = tuple(image.to_mm(self.to_image(np.zeros(len(order)))).tolist())
        return replace(image, spacing_mm=spacing, origin_mm=origin, axes=axes)


@cache
def unmoved(dims: int) -> Placement:
    """Place an array where the image is."""
    return Placement(tuple(range(dims)), (0.0,) * dims, (1.0,) * dims)


def moved(start: Sequence[float], step: Sequence[float] | None = None) -> Placement:
    """Place an array along the image's own axes."""
    return Placement(
        tuple(range(len(start))),
        tuple(map(float, start)),
        (1.0,) * len(start) if step is None else tuple(map(float, step)),
    )
