"""What one image of a cohort tells: its shape, its place, its kind of values, a sample of them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.image import read_image

VALUES = 4096
GREY = 2 / 255


@dataclass(frozen=True)
class Glimpse:
    """What one image tells.

    Args:
        shape: Samples along each axis of space, as in the file.
        order: The axes of a volume in the patient's order; empty where they are not known.
        channels: Of the image, phases among them.
        coloured: Whether channels show colour.
        spacing_mm: Distance of samples along each axis, or `None`.
        modality, unit, bits, dtype: As the file says.
        uptake: Whether it is a PET whose standardised uptake values are known.
        minimum, maximum: Of all values.
        binary: Whether there are no more than two values.
        foreground: A sample of the values above the least.
    """

    shape: tuple[int, ...]
    order: tuple[int, ...]
    channels: int
    coloured: bool
    spacing_mm: tuple[float, ...] | None
    modality: str
    unit: str
    bits: str
    dtype: str
    uptake: bool
    minimum: float
    maximum: float
    binary: bool
    foreground: NDArray[np.float64]

    def turned(self) -> "Glimpse":
        """Give shape and spacing in the patient's order."""
        shape, spacing = (self.shape[axis] for axis in self.order), self.spacing_mm
        if spacing is not None:
            spacing = tuple(spacing[axis] for axis in self.order)
        return replace(self, shape=tuple(shape), spacing_mm=spacing)


def take_glimpse(source: Source) -> Glimpse | str:
    """Read an image and keep what it tells, or why it cannot be read."""
    try:
        image = read_image(source).still()
    except ReadError as problem:
        return str(problem)
    values, grid = image.values, image.grid
    low, high = values.min(), values.max()
    drawn = np.random.default_rng(0).integers(0, values.size, VALUES)
    some = values.reshape(-1)[drawn].astype(np.float64)
    known = len(image.space) == 3 and grid.axes is not None
    return Glimpse(
        shape=image.space,
        order=grid.patient_order()[0] if known else (),
        channels=image.channels,
        coloured=_coloured(image),
        spacing_mm=grid.spacing_mm,
        modality=image.modality,
        unit=image.unit,
        bits=str(image.bits),
        dtype=str(values.dtype),
        uptake=isinstance(image.suv, float),
        minimum=float(low),
        maximum=float(high),
        binary=bool(((values == low) | (values == high)).all()),
        foreground=some[some > float(low)],
    )


def _coloured(image: Image) -> bool:
    """Tell whether channels differ by more than JPEG makes equal ones differ."""
    if image.channels != 3:
        return False
    values = image.values.astype(np.float32)
    full = 2.0**image.bits - 1 if image.values.dtype.kind in "ui" else float(np.ptp(values))
    return float((values.max(0) - values.min(0)).max()) > GREY * full + 1e-6
