"""Where an image lies: spacing, origin and direction of its axes, z first, in millimetres.

Samples are counted from 0, and a sample's number is the place of its middle; so 0.5 lies midway
between the first two. Millimetres are those of the patient: (z, y, x) to the head, the back and
the left (LPS).

Source: DICOM PS3.3, section C.7.6.2.1.1 (the image plane and its place in the patient).
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from medclf.errors import SettingError


@dataclass(frozen=True)
class Grid:
    """The place of a sampled image in the patient.

    Args:
        spacing_mm: Distance of neighbouring samples along each array axis, z first; `None` where
            it is not known, as for photographs. It is never guessed.
        origin_mm: Place of the first sample in the patient, as (z, y, x) of the LPS frame;
            `None` where the file does not say.
        axes: One unit row per array axis: the direction in which its index grows, as (z, y, x)
            of the LPS frame; `None` where the file does not say.

    Raises:
        SettingError: a spacing is not positive and finite.
    """

    spacing_mm: tuple[float, ...] | None = None
    origin_mm: tuple[float, ...] | None = None
    axes: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.spacing_mm is None:
            return
        if not all(np.isfinite(mm) and mm > 0 for mm in self.spacing_mm):
            raise SettingError(f"spacing must be positive and finite, not {self.spacing_mm} mm")

    def to_mm(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Tell where samples lie in the patient.

        Shape:
            (..., axes of the array) in samples -> (..., 3) in mm

        Raises:
            SettingError: the grid does not say where its samples lie.

        Example:
            >>> Grid((5.0, 1.0, 1.0), (10.0, 0.0, 0.0), np.eye(3)).to_mm(np.array([2, 0, 0]))
            array([20.,  0.,  0.])
        """
        origin, rows = self._known()
        return np.asarray(points @ rows + origin)

    def from_mm(self, points_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Tell which samples lie at points of the patient; of a picture, the nearest in its plane.

        Shape:
            (..., 3) in mm -> (..., axes of the array) in samples

        Raises:
            SettingError: the grid does not say where its samples lie.
        """
        origin, rows = self._known()
        return np.asarray((points_mm - origin) @ np.linalg.pinv(rows))

    def patient_order(self) -> tuple[tuple[int, ...], tuple[bool, ...]]:
        """Tell how the axes of a volume must be turned to run nearest to head, back and left.

        Returns:
            Which axis comes first, second and third; and of each of these, whether it runs the
            other way (to the feet, the front, the right). Of an oblique volume, the order is the
            one whose axes agree best with the patient's.

        Raises:
            SettingError: the directions of three axes are not known.
        """
        if self.axes is None or len(self.axes) != 3:
            raise SettingError("the directions of three axes wanted, the grid does not say them")
        cosines = np.asarray(self.axes)
        order = max(
            permutations(range(3)), key=lambda o: sum(abs(cosines[o[j], j]) for j in range(3))
        )
        return order, tuple(bool(cosines[order[j], j] < 0) for j in range(3))

    def _known(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the place of the first sample, and the way to the next along each axis, in mm."""
        if self.spacing_mm is None or self.origin_mm is None or self.axes is None:
            lacking = [
                name
                for name, value in (
                    ("spacing", self.spacing_mm),
                    ("origin", self.origin_mm),
                    ("directions", self.axes),
                )
                if value is None
            ]
            raise SettingError(f"a place in the patient wanted, found no {', '.join(lacking)}")
        return np.asarray(self.origin_mm), np.array(self.spacing_mm)[:, None] * self.axes
