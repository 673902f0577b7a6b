"""Even steps: a view's pixels lie equally far apart in mm, whichever way it is turned.

Volumes may be flat, and their samples lie farther apart along one axis than along another. A square
view of such a volume has as many pixels as its longest edge has samples, spread over its longest
extent: so nothing lies beyond its reach, and a ball looks round. An axis whose samples lie closer
than the pixels is shrunk first, so that none of them is left out. A cube of even spacing is seen
sample by sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from medclf.errors import SettingError


@dataclass(frozen=True)
class Even:
    """How volumes of one shape are seen evenly.

    Args:
        pixels: Along each edge of a view that reaches as far as the volume.
        size: Edges in samples to which volumes are resized first, z first.
        step: Samples of these from one pixel to the next along each axis, z first.
    """

    pixels: int
    size: tuple[int, ...]
    step: tuple[float, ...]


def even_steps(size: Sequence[int], spacing_mm: Sequence[float] = ()) -> Even:
    """Work out how volumes are seen evenly.

    Args:
        size: Their edges in samples, z first.
        spacing_mm: Distance of their samples along each axis, z first; where it is empty, samples
            are taken for cubes.

    Raises:
        SettingError: there are not as many distances as edges.

    Example:
        >>> even_steps((24, 64, 64), (4.0, 2.0, 2.0))
        Even(pixels=64, size=(24, 64, 64), step=(0.5, 1.0, 1.0))
    """
    if spacing_mm and len(spacing_mm) != len(size):
        raise SettingError(f"{len(size)} spacings wanted, found {tuple(spacing_mm)} mm")
    known = spacing_mm or (1.0,) * len(size)
    extent = [n * mm for n, mm in zip(size, known, strict=True)]
    pixels = max(size)
    apart = max(extent) / pixels
    shrunk = [min(n, max(1, round(mm / apart))) for n, mm in zip(size, extent, strict=True)]
    step = [apart * n / mm for n, mm in zip(shrunk, extent, strict=True)]
    return Even(pixels, tuple(shrunk), tuple(step))
