"""An image: values, the place that they hold in the patient, and what they mean."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.errors import SettingError


@dataclass(frozen=True)
class Image:
    """One picture or volume, as a reader returns it.

    Args:
        values: (C, *space) with space (Y, X) or (Z, Y, X). Whole numbers as stored, or float32
            after a rescale. Larger is brighter: an inverted file is turned by its reader.
        grid: Where the samples lie.
        modality: The DICOM code (`CT MR US DX CR MG PT XC` …) or "" where the file does not say.
        unit: "HU", "" for counts without unit.
        bits: Significant bits of a sample as stored: 8 for JPEG, 12 for most X-rays.

    Raises:
        SettingError: values are not channels before two or three axes of space, or are empty.
    """

    values: NDArray[np.generic]
    grid: Grid = field(default_factory=Grid)
    modality: str = ""
    unit: str = ""
    bits: int = 8

    def __post_init__(self) -> None:
        if self.values.ndim not in (3, 4) or self.values.size == 0:
            raise SettingError(
                f"an image holds (C, Y, X) or (C, Z, Y, X) values, not {self.values.shape}"
            )

    @property
    def channels(self) -> int:
        return int(self.values.shape[0])

    @property
    def space(self) -> tuple[int, ...]:
        """Samples along each axis of space, z first."""
        return tuple(int(n) for n in self.values.shape[1:])
