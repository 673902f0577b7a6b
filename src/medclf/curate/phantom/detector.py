"""From attenuation to stored numbers: quanta, scatter, blur, noise, response, for each device.

Beer–Lambert's law gives the quanta that arrive. The automatic exposure control fixes the dose
behind the part that matters, as the lungs. Scatter lays a veil over everything; quanta arrive at
random (Poisson); the screen blurs them; and what is stored is an S-shaped function of the
logarithm, in 12 bits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from medclf.curate.phantom.shapes import Array

BITS = 12


@dataclass(frozen=True)
class Device:
    """An X-ray unit.

    Args:
        site: Where it stands.
        manufacturer, model: As it calls itself.
        quanta_per_mm2: Dose where the exposure control measures.
        scatter: Scattered quanta for each primary one, on the whole picture's mean.
        blur_mm: Standard deviation of the screen's blur.
        contrast: Slope of the response about its middle.
        photometric: Whether large numbers are stored for dense tissue (2) or for air (1).
    """

    site: str
    manufacturer: str
    model: str
    quanta_per_mm2: float
    scatter: float
    blur_mm: float
    contrast: float
    photometric: Literal["MONOCHROME1", "MONOCHROME2"]


DEVICES = (
    Device("north", "Phantom Imaging", "Clarity 3", 900, 0.15, 0.7, 1.6, "MONOCHROME2"),
    Device("south", "Schlieren", "Wand 12", 450, 0.25, 1.0, 1.75, "MONOCHROME1"),
    Device("harbour", "Old Harbour X-Ray", "Bucky II", 250, 0.40, 1.4, 1.5, "MONOCHROME2"),
)


def behind_lungs(arriving: Array) -> float:
    """Mean of the two fields in which the exposure control of a chest measures."""
    rows, columns = arriving.shape
    height = slice(int(0.36 * rows), int(0.54 * rows))
    right = arriving[height, int(0.26 * columns) : int(0.36 * columns)]
    left = arriving[height, int(0.64 * columns) : int(0.74 * columns)]
    return float((right.mean() + left.mean()) / 2)


def expose(
    attenuation: Array,
    pixel_mm: float,
    device: Device,
    rng: np.random.Generator,
    gauge: Callable[[Array], float] = behind_lungs,
) -> Array:
    """Count the quanta in each pixel, after scatter and noise, blurred by the screen.

    Args:
        attenuation: (Y, X) of -log(share let through).
        pixel_mm: Distance of neighbouring pixels.
        device: Which one.
        rng: Chance of the quanta.
        gauge: Measures, in what arrives, what the dose of the device refers to.

    Returns:
        (Y, X) counts, as a multiple of the dose where the gauge measures.
    """
    primary = np.exp(-attenuation)
    dose = device.quanta_per_mm2 * pixel_mm**2
    arriving = primary + device.scatter * _veil(primary, pixel_mm)
    arriving /= gauge(arriving)
    counted = rng.poisson(arriving * dose).astype(np.float64)
    counted = gaussian_filter(counted, device.blur_mm / pixel_mm)
    return np.asarray(counted / dose)


def respond(exposure: Array, device: Device) -> NDArray[np.uint16]:
    """Store an exposure as the device does, in 12 bits.

    Example:
        >>> south = DEVICES[1]
        >>> respond(np.array([[0.05, 1.0, 8.0]]), south).tolist()
        [[47, 2814, 4047]]
    """
    density = -np.log(np.maximum(exposure, 1e-4))
    share = 1 / (1 + np.exp(-device.contrast * (density - 0.45)))
    if device.photometric == "MONOCHROME1":
        share = 1 - share
    top = 2**BITS - 1
    return np.asarray(np.rint(top * np.clip(share, 0, 1)), np.uint16)


def _veil(primary: Array, pixel_mm: float, reach_mm: float = 45.0) -> Array:
    """Spread quanta far: a wide blur, made on a coarse grid for speed."""
    coarse = 8
    pad = -primary.shape[0] % coarse, -primary.shape[1] % coarse
    padded = np.pad(primary, ((0, pad[0]), (0, pad[1])), mode="edge")
    rows, columns = padded.shape
    means = padded.reshape(rows // coarse, coarse, columns // coarse, coarse).mean((1, 3))
    spread = gaussian_filter(means, reach_mm / (coarse * pixel_mm))
    smooth = zoom(spread, coarse, order=1, grid_mode=True, mode="nearest")
    return np.asarray(smooth[: primary.shape[0], : primary.shape[1]])
