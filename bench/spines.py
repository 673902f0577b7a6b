"""Pictures of phantom spines: planes that follow the spine, with the truth marked.

A plane is bent so that it leads through the middle of every vertebral body, as a radiologist bends
it; so each mark lies where it is. `pictures.py` saves them.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from scipy.ndimage import map_coordinates

from medclf.core.image import Image
from medclf.core.record import Record
from medclf.curate.cohort import read_unlabelled
from medclf.curate.phantom.spine.cohort import make_spines
from medclf.curate.phantom.spine.patient import Chances
from medclf.read.image import read_image

PLAIN = {"unusual": 0.0, "scoliosis": 0.0, "broken": 0.0, "implants": 0.0, "narrow": 1.0}
KINDS = {
    "whole, with a scoliosis": (50, Chances(**PLAIN | {"scoliosis": 1.0}, cut=0)),
    "cut, with screws": (37, Chances(**PLAIN | {"implants": 1.0}, cut=1)),
    "cut, with fractures": (53, Chances(**PLAIN | {"broken": 1.0}, cut=1)),
}
"""What is shown, and the seed of a patient who has it in the scan."""

WINDOW_HU = (-220, 900)
SCALE, GAP, LETTERS, TITLE = 1.4, 6, 13, 22
MARK, INK = (255, 190, 60), (230, 230, 230)

Array = NDArray[np.float64]


def draw_spines(spacing_mm: tuple[float, float, float] = (1.5, 1.0, 1.0)) -> Pillow.Image:
    """Make phantoms, and draw each from the side and from the front."""
    panels = []
    for title, (seed, chances) in KINDS.items():
        with TemporaryDirectory() as name:
            table = make_spines(Path(name) / "spines", 1, seed, spacing_mm, chances)
            records = read_unlabelled(table).records
            panels += draw_planes(read_image(records[0].source), records, title)
    wide = sum(panel.width + GAP for panel in panels) - GAP
    sheet = Pillow.new("RGB", (wide, max(panel.height for panel in panels)))
    left = 0
    for panel in panels:
        sheet.paste(panel, (left, 0))
        left += panel.width + GAP
    return sheet


def draw_planes(image: Image, records: list[Record], title: str) -> list[Pillow.Image]:
    """Draw a scan from the side and from the front, with the middles and names of its vertebrae."""
    places = np.array([record.source.point.at for record in records])
    names = [str(record.facts["name"]) for record in records]
    side, front = ((*bent_plane(image, places, axis), names) for axis in (1, 2))
    return [_marked(*side, title, -1), _marked(*front, "", 1)]


def bent_plane(image: Image, places_mm: Array, axis: int) -> tuple[Array, Array]:
    """Lay a plane through places from the top down, and along one axis, in pixels of a mm.

    Args:
        image: (1, Z, Y, X), from the feet up, along the axes of the patient.
        places_mm: (N, 3) to go through, from the head down.
        axis: 1 to run from front to back, 2 from right to left.

    Returns:
        The plane from the head down, and (N, 2) the places in it, down and across.
    """
    low, high = (image.grid.to_mm(np.array(at)) for at in ((0, 0, 0), np.array(image.space) - 1))
    z = np.arange(high[0], low[0], -1.0)
    across = np.arange(low[axis], high[axis], 1.0)
    rising = places_mm[::-1]
    other = np.interp(z, rising[:, 0], rising[:, 3 - axis])
    points = np.zeros((len(z), len(across), 3))
    points[..., 0], points[..., 3 - axis] = z[:, None], other[:, None]
    points[..., axis] = across
    samples = np.moveaxis(image.grid.from_mm(points), -1, 0)
    plane = map_coordinates(image.values[0].astype(np.float32), samples, order=1, mode="nearest")
    marks = np.column_stack([high[0] - places_mm[:, 0], places_mm[:, axis] - low[axis]])
    return plane, marks


def _marked(plane: Array, marks: Array, names: list[str], title: str, beside: int) -> Pillow.Image:
    """Draw a plane beneath its title, with names before (-1) or behind (1) their marks."""
    low, high = WINDOW_HU
    grey = (255 * ((plane - low) / (high - low)).clip(0, 1) ** 0.8).astype(np.uint8)
    size = tuple(round(SCALE * n) for n in grey.shape[::-1])
    panel = Pillow.new("RGB", (size[0], size[1] + TITLE))
    panel.paste(Pillow.fromarray(grey).resize(size, Pillow.Resampling.BICUBIC), (0, TITLE))
    face = Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    draw, font = ImageDraw.Draw(panel), ImageFont.truetype(str(face), LETTERS)
    draw.text((4, 3), title, INK, font)
    anchor = "rm" if beside < 0 else "lm"
    for (down, right), name in zip(SCALE * (marks + 0.5), names, strict=True):
        at = down + TITLE
        draw.ellipse((right - 3, at - 3, right + 3, at + 3), outline=MARK, width=2)
        draw.text((right + 42 * beside, at), name, MARK, font, anchor=anchor)
    return panel
