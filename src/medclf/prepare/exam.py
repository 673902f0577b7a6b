"""From an image as read to an array of the shape and the scale that every exam of a run has.

Each step is a pure function with a file of its own: turn, crop, correct the bias, scale the
values, and resample without aliasing. Those that move samples say how, so that a place in the
array can be told in the patient and the reverse. An image that already has the wanted size and
scale passes unchanged, to the bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.errors import ReadError, SettingError
from medclf.prepare.bias import correct_bias
from medclf.prepare.body import body_box
from medclf.prepare.crop import crop
from medclf.prepare.intensity import scale_values, store_as
from medclf.prepare.marked import UNMARKED, Mark, cut_marked, cut_masked
from medclf.prepare.meant import as_shown, as_suv
from medclf.prepare.orient import orient
from medclf.prepare.placement import Placement, Points, unmoved
from medclf.prepare.resample import place_samples, resample
from medclf.prepare.sampling import measure_steps
from medclf.prepare.settings import Prepare
from medclf.read.values import are_finite

__all__ = [
    "Prepare",
    "Prepared",
    "Scaled",
    "cut_image",
    "expect_learnt",
    "place_image",
    "prepare_image",
    "sample_images",
    "scale_image",
]


@dataclass(frozen=True, eq=False)
class Scaled:
    """An image that is turned, cut and scaled, and is still to be resampled.

    Args:
        values: (C, *space), from 0.
        top: The value that stands for 1.
        space: Samples of the image as it was cut.
        steps: By which it is to be resampled.
        placement: Its place in the image as read.
    """

    values: NDArray[Any]
    top: float
    space: tuple[int, ...]
    steps: tuple[float, ...]
    placement: Placement

    def form(self) -> tuple[object, ...]:
        """What images have in common that can be resampled together."""
        return self.values.shape, self.values.dtype, self.top, self.steps


@dataclass(frozen=True, eq=False)
class Prepared:
    """A prepared image that knows where it came from.

    Args:
        values: (C, *size).
        placement: Its place in the image as read.
        grid: Of the image as read.
    """

    values: NDArray[Any]
    placement: Placement
    grid: Grid

    def to_mm(self, points: Points) -> NDArray[np.float64]:
        """Tell where samples lie in the patient: (..., axes) -> (..., 3) mm.

        Raises:
            SettingError: the file does not say where its samples lie.
        """
        return self.grid.to_mm(self.placement.to_image(points))

    def from_mm(self, points_mm: Points) -> NDArray[np.float64]:
        """Tell which samples lie at points of the patient: (..., 3) mm -> (..., axes).

        Raises:
            SettingError: the file does not say where its samples lie.
        """
        return self.placement.to_array(self.grid.from_mm(points_mm))


def prepare_image(
    image: Image, settings: Prepare, where: str, site: str = "", mark: Mark = UNMARKED
) -> NDArray[Any]:
    """Prepare one image.

    Args:
        image: As read; `Image.still` tells what becomes of phases.
        settings: What is wanted.
        where: Names the file in messages.
        site: Hospital or scanner, where `settings.site` names the column that tells it.
        mark: Where `settings.crop` is "point" or "mask".

    Returns:
        (C, *size) of `settings.dtype`: 0 to 255, or 0 to 1. It may share memory with the image,
        where nothing had to be changed.

    Raises:
        ReadError: a volume where a picture is wanted or the reverse, other channels, colour where
            grey is wanted, no spacing or direction where it is needed, values that do not fit
            `intensity`, or a file that does not state what `intensity` or `unit` need.
        SettingError: the settings are to be learnt first, or ask for what is not installed.

    Example:
        >>> image = Image(np.array([[[0, 4095], [4095, 0]]], np.uint16), bits=12)
        >>> prepare_image(image, Prepare(size=(2, 2), channels=1), "a.png")
        array([[[  0, 255],
                [255,   0]]], dtype=uint8)
    """
    scaled = scale_image(image, settings, where, site, mark)
    values: NDArray[Any] = sample_images([scaled], settings)[0]
    return values


def place_image(
    image: Image, settings: Prepare, where: str, site: str = "", mark: Mark = UNMARKED
) -> Prepared:
    """Prepare one image as `prepare_image` does, and keep its place in the patient."""
    scaled = scale_image(image, settings, where, site, mark)
    samples = place_samples(scaled.space, scaled.steps, settings.size)
    values = sample_images([scaled], settings)[0]
    return Prepared(values, samples.after(scaled.placement), image.grid)


def scale_image(
    image: Image, settings: Prepare, where: str, site: str = "", mark: Mark = UNMARKED
) -> Scaled:
    """Do all that is done before samples are mixed, and tell how they are to be mixed.

    Raises:
        ReadError, SettingError: as `prepare_image` does.
    """
    expect_learnt(settings)
    cut, placement = cut_image(image, settings, where, mark)
    values, top = scale_values(cut, settings, where, site)
    spacing_mm, wanted_mm = cut.grid.spacing_mm, settings.spacing_mm
    steps = measure_steps(cut.space, spacing_mm, settings.size, wanted_mm, settings.fit, where)
    return Scaled(values, top, cut.space, steps, placement)


def sample_images(some: Sequence[Scaled], settings: Prepare) -> NDArray[Any]:
    """Resample images of one form together, which costs less than one by one.

    Args:
        some: At least one; all of the same `form()`.
        settings: What is wanted.

    Returns:
        (N, C, *size) of `settings.dtype`. That of one image may share its memory.
    """
    first = some[0]
    values = np.concatenate([each.values for each in some]) if len(some) > 1 else first.values
    values = resample(values, first.steps, settings.size, settings.order, settings.antialias)
    if settings.order == 3:
        values = np.clip(values, 0, first.top)
    values = store_as(values, first.top, settings.dtype)
    values = values.reshape(len(some), -1, *settings.size)
    if values.shape[1] < settings.channels:
        values = np.repeat(values, settings.channels, axis=1)
    return np.ascontiguousarray(values)


def cut_image(
    image: Image, settings: Prepare, where: str, mark: Mark = UNMARKED
) -> tuple[Image, Placement]:
    """Turn, crop and correct an image, before its values are scaled.

    Returns:
        A still image, and its place in the one given.
    """
    if settings.channels == 1 and len(image.space) == 3 and len(image.phases) > 1:
        # Three of them are no grey volume that was stored in three colours.
        raise ReadError(f"{where}: a still volume wanted, found {len(image.phases)} phases")
    image = as_suv(image.still(), where) if settings.unit == "SUV" else image.still()
    image = as_shown(image, where) if settings.intensity == "voi" else image
    _check_form(image, settings, where)
    placement = unmoved(len(image.space))
    if settings.orientation == "patient":
        image, here = orient(image, where)
        placement = here.after(placement)
    if settings.crop == "body":
        image, here = crop(image, body_box(image))
        placement = here.after(placement)
    if settings.crop == "point":
        image, here = cut_marked(image, placement, mark.point, settings, where)
        placement = here.after(placement)
    if settings.crop == "mask":
        image, here = cut_masked(image, placement, mark.mask, where)
        placement = here.after(placement)
    if settings.bias == "n4":
        image = correct_bias(image, where)
    return image, placement


def expect_learnt(settings: Prepare) -> None:
    """Check that nothing of the settings is left to learn.

    Raises:
        SettingError: the landmarks are not known yet.
    """
    if not settings.learnt:
        raise SettingError(
            'prepare.intensity "landmarks" wants prepare.landmarks, found none: '
            "training learns them"
        )


def _check_form(image: Image, settings: Prepare, where: str) -> None:
    forms = {2: "a picture (2D)", 3: "a volume (3D)"}
    wanted, found = len(settings.size), len(image.space)
    if wanted != found:
        raise ReadError(f"{where}: {forms[wanted]} wanted, found {forms[found]} of {image.space}")
    several = settings.intensity == "window" and len(settings.windows) > 1
    placed = found == 3 and image.grid.spacing_mm is not None  # No reel of pictures.
    if placed and image.channels == 1 and settings.channels == 3 and not several:
        raise ReadError(f"{where}: 3 channels of a volume wanted, as phases, found 1")
    kind = image.values.dtype.kind
    if kind not in "uif":
        raise ReadError(f"{where}: whole or decimal numbers wanted, found {image.values.dtype}")
    if not are_finite(image.values):
        raise ReadError(f"{where}: numbers wanted, found NaN or infinite values")
