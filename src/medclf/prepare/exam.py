"""From an image as read to an array of the shape and the scale that every exam of a run has.

Four steps, each a pure function: channels, the values that become 0 and 1, the place of the new
samples, and resampling without aliasing. Values beyond the limits are clipped before they are
mixed, so that metal does not outshine its surroundings. An image that already has the wanted
size and scale passes unchanged, to the bit.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.errors import ReadError, SettingError
from medclf.prepare.channels import fit_channels
from medclf.prepare.meant import as_shown, as_suv
from medclf.prepare.normalise import (
    full_limits,
    percentile_limits,
    range_limits,
    window_limits,
)
from medclf.prepare.resample import resample
from medclf.prepare.sampling import measure_steps

CHOICES = {
    "fit": ("stretch", "letterbox"),
    "intensity": ("full", "range", "percentile", "window", "voi"),
    "unit": ("", "SUV"),
    "dtype": ("uint8", "float16"),
}

HUGE = 1e38
"""A span of values that float32 cannot hold."""


@dataclass(frozen=True)
class Prepare:
    """How every image becomes an array of one shape.

    Args:
        size: Samples along each axis of space, z first: 2 numbers for pictures, 3 for volumes.
        channels: Channels that come out. Equal RGB may become 1, and grey may become 3.
        spacing_mm: Distance of samples along each axis, z first: images are resampled to it, then
            cropped or padded with 0 about their middle. Empty: millimetres do not matter.
        fit: Without `spacing_mm`: "stretch" to the size, or "letterbox": keep the proportions
            and pad with 0.
        intensity: What becomes 0 and 1: "full", the range of the stored bits (photographs);
            "range", the least and the largest value of each image; "percentile", `percentiles` of
            the foreground of each image (MR); "window", `window` (CT); "voi", the window or the
            table that each file states for the eye. What lies beyond is clipped. Channels share
            their limits.
        percentiles: Lower and upper, 0 to 100.
        window: Lowest and highest value, in HU, or in SUV where that is the unit.
        unit: "" for the unit of the file; "SUV" for standardised uptake values of PET by body
            weight.
        dtype: "uint8" keeps 0 to 255, "float16" keeps 0 to 1.

    Raises:
        SettingError: a setting is out of its range, or contradicts another.
    """

    size: tuple[int, ...]
    channels: int
    spacing_mm: tuple[float, ...] = ()
    fit: Literal["stretch", "letterbox"] = "stretch"
    intensity: Literal["full", "range", "percentile", "window", "voi"] = "full"
    percentiles: tuple[float, float] = (0.5, 99.5)
    window: tuple[float, float] = (-1000.0, 1000.0)
    unit: Literal["", "SUV"] = ""
    dtype: Literal["uint8", "float16"] = "uint8"

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise SettingError(
                    f"prepare.{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}"
                )
        if len(self.size) not in (2, 3) or min(self.size) < 1:
            raise SettingError(f"prepare.size is 2 or 3 numbers above 0, not {self.size}")
        if self.channels < 1:
            raise SettingError(f"prepare.channels is at least 1, not {self.channels}")
        if self.spacing_mm and len(self.spacing_mm) != len(self.size):
            raise SettingError(
                f"prepare.spacing_mm has {len(self.size)} numbers or none, not {self.spacing_mm}"
            )
        if not all(math.isfinite(mm) and mm > 0 for mm in self.spacing_mm):
            raise SettingError(f"prepare.spacing_mm is above 0, not {self.spacing_mm}")
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise SettingError(f"prepare.percentiles rise from 0 to 100, not {self.percentiles}")
        low, high = self.window
        if not (math.isfinite(high - low) and low < high):
            raise SettingError(f"prepare.window is lowest, then highest HU, not {self.window}")


def prepare_image(image: Image, settings: Prepare, where: str) -> NDArray[Any]:
    """Prepare one image.

    Args:
        image: As read; `Image.still` tells what becomes of phases.
        settings: What is wanted.
        where: Names the file in messages.

    Returns:
        (C, *size) of `settings.dtype`: 0 to 255, or 0 to 1. It may share memory with the image,
        where nothing had to be changed.

    Raises:
        ReadError: a volume where a picture is wanted or the reverse, other channels, colour where
            grey is wanted, no spacing where it is needed, values that do not fit `intensity`, or
            a file that does not state what `intensity` or `unit` need.

    Example:
        >>> image = Image(np.array([[[0, 4095], [4095, 0]]], np.uint16), bits=12)
        >>> prepare_image(image, Prepare(size=(2, 2), channels=1), "a.png")
        array([[[  0, 255],
                [255,   0]]], dtype=uint8)
    """
    image = as_suv(image.still(), where) if settings.unit == "SUV" else image.still()
    image = as_shown(image, where) if settings.intensity == "voi" else image
    _check_form(image, settings, where)
    low, high = _limits(image, settings, where)
    values = fit_channels(image.values, image.bits, settings.channels, where)
    clipped = settings.intensity in ("percentile", "window")
    if low != 0 or clipped or values.dtype.kind == "f":
        values, high = _to_unit(values, low, high), 1.0
    spacing_mm, wanted_mm = image.grid.spacing_mm, settings.spacing_mm
    steps = measure_steps(image.space, spacing_mm, settings.size, wanted_mm, settings.fit, where)
    values = _scale(resample(values, steps, settings.size), high, settings.dtype)
    if len(values) < settings.channels:
        values = np.repeat(values, settings.channels, axis=0)
    return np.ascontiguousarray(values)


def _check_form(image: Image, settings: Prepare, where: str) -> None:
    forms = {2: "a picture (2D)", 3: "a volume (3D)"}
    wanted, found = len(settings.size), len(image.space)
    if wanted != found:
        raise ReadError(f"{where}: {forms[wanted]} wanted, found {forms[found]} of {image.space}")
    kind = image.values.dtype.kind
    if kind not in "uif":
        raise ReadError(f"{where}: whole or decimal numbers wanted, found {image.values.dtype}")
    if kind == "f" and not np.isfinite(image.values).all():
        raise ReadError(f"{where}: numbers wanted, found NaN or infinite values")


def _limits(image: Image, settings: Prepare, where: str) -> tuple[float, float]:
    if settings.intensity == "full":
        return full_limits(image.values, image.bits, where)
    if settings.intensity == "window":
        return window_limits(image.values, image.unit, settings.window, where)
    if settings.intensity == "voi":
        return 0.0, 1.0
    if settings.intensity == "percentile":
        return percentile_limits(image.values, settings.percentiles)
    return range_limits(image.values)


def _to_unit(values: NDArray[Any], low: float, high: float) -> NDArray[np.float32]:
    """Clip values to the limits and bring these to 0 and 1; an image of one value is 0."""
    if high <= low:
        return np.zeros(values.shape, np.float32)
    wide = np.result_type(values.dtype, np.float32 if high - low < HUGE else np.float64)
    unit = np.clip(values.astype(wide), low, high)
    unit -= low
    unit /= high - low
    return np.asarray(unit, np.float32)


def _scale(values: NDArray[Any], top: float, dtype: str) -> NDArray[Any]:
    """Turn 0 … top into 0 … 255 or 0 … 1."""
    if dtype == "float16":
        return (values * np.float32(1 / max(top, 1))).astype(np.float16)
    if values.dtype == np.uint8 and top == 255:
        return values
    return np.rint(values * np.float32(255 / max(top, 1))).astype(np.uint8)
