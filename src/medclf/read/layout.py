"""An image laid out as files of volumes want it: x first in the patient, and a slice axis."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image


@dataclass(frozen=True)
class Layout:
    """An image for a file.

    Args:
        values: (T, C, Z, Y, X); T, C and Z may be 1.
        axes: Of space: 2 where there is one slice and no place, else 3.
        spacing_mm: Along x, y and z, or as many as there are axes; `None` where it is not known.
        vectors_mm: A row (x, y, z) in LPS per axis, x first: the step to the next sample; `None`
            where the place is not known.
        origin_mm: Of the first sample, as (x, y, z) in LPS; known where the vectors are.
    """

    values: NDArray[Any]
    axes: int
    spacing_mm: tuple[float, ...] | None
    vectors_mm: NDArray[np.float64] | None
    origin_mm: NDArray[np.float64] | None

    @property
    def sizes(self) -> tuple[int, ...]:
        """Samples along x, y and z, or as many as there are axes."""
        return tuple(int(n) for n in self.values.shape[:1:-1][: self.axes])


def lay_out(image: Image) -> Layout:
    """Lay an image out. One slice that has a place gets a third axis, 1 mm along its normal."""
    values = image.values if image.phases else image.values[None]
    flat = values.ndim == 4
    values = values[:, :, None] if flat else values
    grid = image.grid
    if grid.spacing_mm is None or grid.axes is None or grid.origin_mm is None:
        spacing = None if grid.spacing_mm is None else grid.spacing_mm[::-1]
        return Layout(values, 2 if flat else 3, spacing, None, None)
    vectors = (grid.axes * np.array(grid.spacing_mm)[:, None])[::-1, ::-1]
    if flat:
        normal = np.cross(vectors[0], vectors[1])
        vectors = np.vstack([vectors, normal / np.linalg.norm(normal)])
    spacing = tuple(np.linalg.norm(vectors, axis=1).tolist())
    return Layout(values, 3, spacing, vectors, np.array(grid.origin_mm[::-1]))
