"""An image: values, the place that they hold in the patient, and what they mean."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from medclf.core.display import Display
from medclf.core.grid import Grid
from medclf.core.remark import Remark
from medclf.errors import SettingError


@dataclass(frozen=True)
class Image:
    """One picture or volume, as a reader returns it.

    Args:
        values: (C, *space) with space (Y, X) or (Z, Y, X), or (T, C, *space) where there are
            phases. Whole numbers as stored, or float32 after a rescale. Larger is brighter: an
            inverted file is turned by its reader.
        grid: Where the samples lie.
        modality: The DICOM code (`CT MR US DX CR MG PT XC` …) or "" where the file does not say.
        unit: "HU", "" for counts without unit.
        bits: Significant bits of a sample as stored: 8 for JPEG, 12 for most X-rays.
        phases: What each image of a gated or timed series is called, as ("0 %", "10 %") of a heart
            beat; empty for a still image.
        remarks: What the reader found or changed.
        display: How the file wants to be shown to a person; `None` where it does not say.
        suv: Of a PET what makes standardised uptake values by multiplication, or else the words
            for why that is not known; "" for all others.

    Raises:
        SettingError: values are not channels before two or three axes of space, or are empty, or
            are not as many as the phases.
    """

    values: NDArray[np.generic]
    grid: Grid = field(default_factory=Grid)
    modality: str = ""
    unit: str = ""
    bits: int = 8
    phases: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    display: Display | None = None
    suv: float | str = ""

    def __post_init__(self) -> None:
        timed = bool(self.phases)
        if self.values.ndim - timed not in (3, 4) or self.values.size == 0:
            raise SettingError(
                f"an image holds {'(T, C, ' if timed else '(C, '}Y, X) values, or a Z before "
                f"them, not {self.values.shape}"
            )
        if timed and len(self.phases) != len(self.values):
            raise SettingError(f"{len(self.phases)} phases do not name {len(self.values)} images")

    @property
    def channels(self) -> int:
        return int(self.values.shape[1 if self.phases else 0])

    @property
    def space(self) -> tuple[int, ...]:
        """Samples along each axis of space, z first."""
        return self.values.shape[2 if self.phases else 1 :]

    def still(self) -> "Image":
        """Make one image of the phases.

        Shape:
            Volumes become channels, (T, C, Z, Y, X) -> (T * C, Z, Y, X). Pictures follow each
            other as slices do, (T, C, Y, X) -> (C, T, Y, X); their distance is not in mm.
        """
        if not self.phases:
            return self
        if len(self.space) == 2:
            reel = np.ascontiguousarray(np.moveaxis(self.values, 0, 1))
            return replace(self, values=reel, grid=Grid(), phases=())
        return replace(self, values=self.values.reshape(-1, *self.space), phases=())
