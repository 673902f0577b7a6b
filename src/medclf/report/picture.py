"""A picture is what a page can show: eight bits, grey or colour, with its caption.

A prepared array becomes one by a single robust stretch of its values. A volume becomes its three
middle planes side by side. Pictures enter a page as PNG or JPEG inside the page itself.
"""

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from medclf.core.image import Image
from medclf.errors import SettingError

CHANNELS_SHOWN = 4
GAP = 2
STRETCH_PERCENT = (0.5, 99.5)
LOSSLESS_EDGE = 96


@dataclass(frozen=True)
class Picture:
    """Values to look at and the words below them.

    Args:
        values: uint8, (Y, X) grey or (Y, X, 3) colour.
        caption: One short line. It is also what is read to people who cannot see the picture.

    Raises:
        SettingError: values are not uint8 of one of these shapes, or are empty.
    """

    values: NDArray[np.uint8]
    caption: str

    def __post_init__(self) -> None:
        shape = self.values.shape
        fits = len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)
        if self.values.dtype != np.uint8 or not fits or self.values.size == 0:
            raise SettingError(
                f"a picture holds uint8 (Y, X) or (Y, X, 3), not {self.values.dtype} {shape}"
            )


def make_picture(
    values: NDArray[np.generic],
    caption: str,
    limits: tuple[float, float] | None = None,
    spacing_mm: tuple[float, ...] | None = None,
) -> Picture:
    """Turn a prepared image or volume into a picture.

    Args:
        values: Any numbers. One channel is grey, three are colour, of any other number the first
            four stand side by side. Not-finite values are shown as the darkest.
        caption: As in `Picture`.
        limits: The values shown black and white. Without it eight-bit values stay as they are,
            and others are stretched from their 0.5th to their 99.5th percentile.
        spacing_mm: Distance of samples along each axis of space; planes are then stretched to
            true proportions.

    Shape:
        (C, Y, X) -> (Y, X); (C, Z, Y, X) -> the planes YX, ZX, ZY through the middle, in a row.

    Raises:
        SettingError: the array is not channels before two or three axes of space.

    Example:
        >>> make_picture(np.zeros((1, 8, 20, 30)), "phantom").values.shape
        (20, 84)
    """
    if values.ndim not in (3, 4) or values.size == 0:
        raise SettingError(f"a picture is made of (C, Y, X) or (C, Z, Y, X), not {values.shape}")
    cuts = _middle_planes(values, spacing_mm or (1.0,) * (values.ndim - 1))
    low, high = limits or _limits([plane for plane, _ in cuts])
    planes = [_proportion(_stretch(plane, low, high), size) for plane, size in cuts]
    if len(values) == 3:
        return Picture(_in_a_row([np.moveaxis(p, 0, -1) for p in planes]), caption)
    return Picture(_in_a_row([c for p in planes for c in p[:CHANNELS_SHOWN]]), caption)


def picture_of(image: Image, caption: str) -> Picture:
    """Turn an image as read into a picture, in the window that its file states for the eye."""
    image = image.still()
    if image.display is None:
        return make_picture(image.values, caption, spacing_mm=image.grid.spacing_mm)
    shades = image.display.shade(image.values)
    return make_picture(shades, caption, (0.0, 1.0), image.grid.spacing_mm)


def encode_picture(picture: Picture, edge: int) -> str:
    """Write a picture as a data URI.

    A small picture stays as it is (PNG); a large one is shrunk to `edge` pixels and becomes JPEG.
    """
    image = Pillow.fromarray(picture.values)
    image.thumbnail((edge, edge), Pillow.Resampling.LANCZOS)
    lossless = max(image.size) <= LOSSLESS_EDGE
    buffer = io.BytesIO()
    if lossless:
        image.save(buffer, "PNG", optimize=True)
    else:
        image.save(buffer, "JPEG", quality=85)
    kind = "png" if lossless else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _limits(planes: list[NDArray[np.generic]]) -> tuple[float, float]:
    """Find the values to show black and white: eight bits are shown as they are."""
    if planes[0].dtype == np.uint8:
        return 0.0, 255.0
    numbers = np.concatenate([plane.ravel() for plane in planes]).astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(finite, STRETCH_PERCENT)
    return float(low), float(high)


def _stretch(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.uint8]:
    numbers = np.nan_to_num(values.astype(np.float64), nan=low, posinf=low, neginf=low)
    scaled = (numbers - low) * (255 / max(high - low, 1e-12))
    shades: NDArray[np.uint8] = np.rint(scaled.clip(0, 255)).astype(np.uint8)
    return shades


def _middle_planes(
    values: NDArray[np.generic], spacing_mm: tuple[float, ...]
) -> list[tuple[NDArray[np.generic], tuple[int, int]]]:
    """Cut the middle planes (C, rows, columns), each with the size it should have."""
    finest = min(spacing_mm)
    true = [
        max(1, round(n * mm / finest)) for n, mm in zip(values.shape[1:], spacing_mm, strict=True)
    ]
    if values.ndim == 3:
        return [(values, (true[0], true[1]))]
    z, y, x = (n // 2 for n in values.shape[1:])
    return [
        (values[:, z], (true[1], true[2])),
        (values[:, :, y], (true[0], true[2])),
        (values[:, :, :, x], (true[0], true[1])),
    ]


def _proportion(plane: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if plane.shape[1:] == size:
        return plane
    smooth = Pillow.Resampling.BILINEAR
    stretched = [Pillow.fromarray(channel).resize(size[::-1], smooth) for channel in plane]
    return np.stack([np.asarray(channel, np.uint8) for channel in stretched])


def _in_a_row(planes: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Set planes of any size side by side, centred, with a dark gap between them."""
    height = max(len(p) for p in planes)
    padded = []
    for i, plane in enumerate(planes):
        above = (height - len(plane)) // 2
        rows = (above, height - len(plane) - above)
        columns = (GAP if i else 0, 0)
        padded.append(np.pad(plane, (rows, columns, (0, 0))[: plane.ndim]))
    return np.concatenate(padded, axis=1)
