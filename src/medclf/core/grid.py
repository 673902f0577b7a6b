"""Where an image lies: spacing, origin and direction of its axes, z first, in millimetres."""

from dataclasses import dataclass

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
