"""A montage: many pictures on one sheet, each with its caption, to be saved as one image file."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from medclf.errors import SettingError
from medclf.report.picture import Picture

SMALLEST_TILE, LARGEST_TILE = 112, 256
MARGIN, CAPTION, LETTERS = 8, 20, 12
PAPER, INK, STAGE = (255, 255, 255), (60, 64, 70), (16, 18, 20)


def montage(pictures: Sequence[Picture], columns: int) -> NDArray[np.uint8]:
    """Lay pictures out in rows on white paper, captions below them.

    Small pictures are enlarged by a whole factor, so that a pixel stays a square; large ones are
    shrunk. A caption too long for its tile ends in "…".

    Args:
        pictures: At least one.
        columns: Pictures in a row, 1 or more.

    Returns:
        uint8 (Y, X, 3).

    Raises:
        SettingError: no picture, or no column.

    Example:
        >>> montage([Picture(np.zeros((28, 28), np.uint8), "zero")], 4).shape
        (148, 128, 3)
    """
    if not pictures or columns < 1:
        raise SettingError(f"{len(pictures)} pictures in {columns} columns: want 1 or more of both")
    columns = min(columns, len(pictures))
    tile_y, tile_x = _tile(pictures)
    rows = -(-len(pictures) // columns)
    pitch_y, pitch_x = tile_y + CAPTION + MARGIN, tile_x + MARGIN
    sheet = Pillow.new("RGB", (columns * pitch_x + MARGIN, rows * pitch_y + MARGIN), PAPER)
    draw, font = ImageDraw.Draw(sheet), _font()
    for i, picture in enumerate(pictures):
        top = MARGIN + (i // columns) * pitch_y
        left = MARGIN + (i % columns) * pitch_x
        draw.rectangle((left, top, left + tile_x - 1, top + tile_y - 1), STAGE)
        image = _fit(picture, tile_y, tile_x)
        place = (left + (tile_x - image.width) // 2, top + (tile_y - image.height) // 2)
        sheet.paste(image, place)
        words = _shorten(" ".join(picture.caption.split()), tile_x, font)
        draw.text((left, top + tile_y + 3), words, INK, font)
    return np.asarray(sheet).copy()


def _tile(pictures: Sequence[Picture]) -> tuple[int, int]:
    """Choose rows and columns of the stage on which every picture stands."""
    rows = max(p.values.shape[0] for p in pictures)
    columns = max(p.values.shape[1] for p in pictures)
    longest = max(rows, columns)
    scale = min(LARGEST_TILE / longest, max(1, SMALLEST_TILE // longest))
    return max(1, round(rows * scale)), max(SMALLEST_TILE, round(columns * scale))


def _fit(picture: Picture, rows: int, columns: int) -> Pillow.Image:
    image = Pillow.fromarray(picture.values).convert("RGB")
    scale = min(rows / image.height, columns / image.width)
    how = Pillow.Resampling.LANCZOS
    if scale >= 1:
        scale, how = int(scale), Pillow.Resampling.NEAREST
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image if size == image.size else image.resize(size, how)


def _font() -> ImageFont.FreeTypeFont:
    """Load the typeface that comes with Matplotlib, so that a montage looks alike everywhere."""
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", LETTERS)


def _shorten(words: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    if font.getlength(words) <= width:
        return words
    while words and font.getlength(words + "…") > width:
        words = words[:-1]
    return words.rstrip() + "…"
