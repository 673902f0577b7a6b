"""The picture's plane: where its pixels lie in millimetres, and random textures on it."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from medclf.curate.phantom.shapes import Array
from medclf.curate.phantom.tubes import Cloud, splat


@dataclass(frozen=True)
class Screen:
    """A square picture of the chest.

    Args:
        pixels: Along each side.
        pixel_mm: Distance of neighbouring pixels.
        middle_mm: Where its middle lies, (z, x) from the middle of the chest: nobody stands
            quite straight before it.
    """

    pixels: int
    pixel_mm: float
    middle_mm: tuple[float, float] = (0.0, 0.0)

    @property
    def axes(self) -> tuple[Array, Array]:
        """Heights of the rows as a column, and places of the columns as a row, in mm."""
        half = (self.pixels - 1) / 2 * self.pixel_mm
        across = np.linspace(-half, half, self.pixels)
        return self.middle_mm[0] - across[:, None], self.middle_mm[1] + across[None, :]

    def drop(self, cloud: Cloud) -> Array:
        """Thickness of a cloud along the beam, in mm."""
        middle = (self.pixels - 1) / 2
        rows = middle - (cloud.points[:, 0] - self.middle_mm[0]) / self.pixel_mm
        columns = middle + (cloud.points[:, 2] - self.middle_mm[1]) / self.pixel_mm
        places = np.column_stack([rows, columns])
        return splat(places, cloud.volume / self.pixel_mm**2, (self.pixels, self.pixels))


def smooth_noise(screen: Screen, grain_mm: float, rng: np.random.Generator) -> Array:
    """Draw a random picture of unit variance whose grains have a size, in mm."""
    white = rng.normal(size=(screen.pixels, screen.pixels))
    noise = gaussian_filter(white, grain_mm / screen.pixel_mm, mode="wrap")
    return np.asarray(noise / noise.std())
