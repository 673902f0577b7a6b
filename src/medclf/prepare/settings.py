"""How every image becomes an array of one shape: the table [prepare] of a recipe."""

import math
from dataclasses import dataclass
from typing import Literal

from medclf.errors import SettingError

CHOICES = {
    "fit": ("stretch", "letterbox"),
    "orientation": ("file", "patient"),
    "crop": ("none", "body", "point", "mask"),
    "bias": ("none", "n4"),
    "intensity": ("full", "range", "percentile", "zscore", "landmarks", "window", "voi"),
    "unit": ("", "SUV"),
    "order": (0, 1, 3),
    "dtype": ("uint8", "float16"),
}

DECILES = tuple(range(10, 100, 10))
"""Percentiles between the two of `Prepare.percentiles` that are landmarks."""


@dataclass(frozen=True)
class Prepare:
    """How every image becomes an array of one shape.

    Args:
        size: Samples along each axis of space, z first: 2 numbers for pictures, 3 for volumes.
        channels: Channels that come out. Equal RGB may become 1, and grey pictures may become 3.
            Those of volumes are phases or components. One for each window, where there are several.
        spacing_mm: Distance of samples along each axis, z first: images are resampled to it, then
            cropped or padded with 0 about their middle. Empty: millimetres do not matter.
        fit: Without `spacing_mm`: "stretch" to the size, or "letterbox": keep the proportions
            and pad with 0.
        orientation: "file" keeps the axes of a volume as they are stored; "patient" turns them to
            run to the head, the back and the left, nothing resampled.
        crop: "body" cuts away the air, the table or the shutter around the body before anything
            else is measured; "point" cuts out what lies around the marked point of each exam:
            `size` samples at a distance of `spacing_mm`, or those of the file where it is empty;
            "mask" cuts out the box around the mask of each exam, a tenth wider on each side.
        bias: "n4" takes the slow change of brightness across an MR image away; it needs
            `pip install '.[mr]'` in the clone and some seconds for each volume.
        intensity: What becomes 0 and 1: "full", the range of the stored bits (photographs);
            "range", the least and the largest value of each image; "percentile", `percentiles` of
            the foreground of each image (MR); "zscore", 3 standard deviations below and above the
            mean of its foreground; "landmarks", `percentiles` and all deciles of its foreground,
            moved to where they lie in training exams; "window", `window` (CT); "voi", the window or
            the table that each file states for the eye. What lies beyond is clipped. Channels
            share their limits.
        percentiles: Lower and upper, 0 to 100.
        window: Lowest and highest value, in HU, or in SUV where that is the unit; of several
            windows, one after the other, each gives a channel.
        unit: "" for the unit of the file; "SUV" for standardised uptake values of PET by body
            weight.
        landmarks: Where the landmarks lie, 0 to 1. Empty: learnt from the training exams when
            training starts, and kept in the run's own recipe.
        site: Column of the hospital or scanner. With "landmarks", all images of a site are then
            changed alike, by what is usual there, so that patients stay as different as they are;
            an exam of another site cannot be prepared. Empty: each image by itself.
        sites: The sites that training exams came from; learnt with `landmarks`.
        site_landmarks: Landmarks that are usual at each of the sites, one site after the other, in
            the values of its images; learnt with `landmarks`.
        order: How samples are interpolated: 0 takes the nearest (masks), 1 is linear, 3 cubic.
        antialias: Whether all that lies between new samples counts where an image shrinks.
        dtype: "uint8" keeps 0 to 255, "float16" keeps 0 to 1.

    Raises:
        SettingError: a setting is out of its range, or contradicts another.
    """

    size: tuple[int, ...]
    channels: int
    spacing_mm: tuple[float, ...] = ()
    fit: Literal["stretch", "letterbox"] = "stretch"
    orientation: Literal["file", "patient"] = "file"
    crop: Literal["none", "body", "point", "mask"] = "none"
    bias: Literal["none", "n4"] = "none"
    intensity: Literal["full", "range", "percentile", "zscore", "landmarks", "window", "voi"] = (
        "full"
    )
    percentiles: tuple[float, float] = (0.5, 99.5)
    window: tuple[float, ...] = (-1000.0, 1000.0)
    unit: Literal["", "SUV"] = ""
    landmarks: tuple[float, ...] = ()
    site: str = ""
    sites: tuple[str, ...] = ()
    site_landmarks: tuple[float, ...] = ()
    order: int = 1
    antialias: bool = True
    dtype: Literal["uint8", "float16"] = "uint8"

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise SettingError(
                    f"prepare.{name} is one of {', '.join(map(str, choices))}, "
                    f"not {getattr(self, name)!r}"
                )
        self._check_space()
        self._check_windows()
        self._check_landmarks()

    @property
    def windows(self) -> tuple[tuple[float, float], ...]:
        """The lowest and highest value of each window."""
        return tuple(zip(self.window[::2], self.window[1::2], strict=True))

    @property
    def marks(self) -> tuple[float, ...]:
        """The percentiles of a foreground that are landmarks."""
        low, high = self.percentiles
        return (low, *DECILES, high)

    @property
    def learnt(self) -> bool:
        """Whether nothing is left to learn from training exams."""
        return self.intensity != "landmarks" or bool(self.landmarks)

    def _check_space(self) -> None:
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
        if self.orientation == "patient" and len(self.size) == 2:
            raise SettingError('prepare.orientation "patient" is for volumes, not for pictures')

    def _check_windows(self) -> None:
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise SettingError(f"prepare.percentiles rise from 0 to 100, not {self.percentiles}")
        if not self.window or len(self.window) % 2:
            raise SettingError(f"prepare.window is pairs of HU, not {self.window}")
        for low, high in self.windows:
            if not (math.isfinite(high - low) and low < high):
                raise SettingError(f"prepare.window is lowest, then highest HU, not {self.window}")
        if self.intensity == "window" and len(self.windows) not in (1, self.channels):
            raise SettingError(
                f"prepare.channels is {len(self.windows)}, one for each window, not {self.channels}"
            )

    def _check_landmarks(self) -> None:
        if self.intensity != "landmarks":
            return
        count = len(self.marks)
        if sorted(set(self.marks)) != list(self.marks):
            raise SettingError(
                "prepare.percentiles lie below 10 and above 90 where there are landmarks, "
                f"not {self.percentiles}"
            )
        for name, many in (("landmarks", 1), ("site_landmarks", len(self.sites))):
            values = getattr(self, name)
            if len(values) != count * many and (values or name != "landmarks"):
                raise SettingError(f"prepare.{name} is {count * many} numbers, not {len(values)}")
            rows = [values[start : start + count] for start in range(0, len(values), count)]
            if any(list(row) != sorted(row) or not math.isfinite(sum(row)) for row in rows):
                raise SettingError(f"prepare.{name} rise, not {values}")
        if self.landmarks and bool(self.site) != bool(self.sites):
            raise SettingError(
                f"prepare.site and prepare.sites go together, not {self.site!r} and {self.sites}"
            )
