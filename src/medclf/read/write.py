"""An image becomes a file, in the form that the file's name asks for.

What is written reads back to the same values, and to the same place where the form holds one.
"""

import gzip
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np

from medclf.core.image import Image
from medclf.errors import SettingError
from medclf.read.write_metaimage import write_metaimage
from medclf.read.write_nifti import write_nifti
from medclf.read.write_nrrd import write_nrrd

Writer = Callable[[Image], bytes]


def write_npy(image: Image) -> bytes:
    """Write the values alone, with axes that `read_array` takes for what they are.

    Raises:
        SettingError: there are phases, or axes that would be taken for others.
    """
    values = image.values
    coloured = values.dtype == np.uint8 and image.channels == 3
    if coloured:
        values = np.moveaxis(values, 0, -1)
    elif image.channels == 1:
        values = values[0]
    last = values.ndim > 2 and values.shape[-1] == 3
    mistaken = values.dtype == np.uint8 and last and not coloured
    if image.phases or mistaken or (len(image.space) == 2 and image.channels > 1 and not coloured):
        raise SettingError(f".npy holds no image of {_told(image)}: use .nii.gz, .mha or .nrrd")
    stream = BytesIO()
    np.save(stream, np.ascontiguousarray(values), allow_pickle=False)
    return stream.getvalue()


def write_png(image: Image) -> bytes:
    """Write a picture, grey or coloured, of 8 or 16 bits.

    Raises:
        SettingError: it is none.
    """
    from imagecodecs import png_encode

    fits = image.values.dtype in (np.uint8, np.uint16) and image.channels in (1, 3)
    if image.phases or len(image.space) != 2 or not fits:
        raise SettingError(f".png holds no image of {_told(image)}: use .nii.gz, .mha or .nrrd")
    values = image.values[0] if image.channels == 1 else np.moveaxis(image.values, 0, -1)
    return bytes(png_encode(np.ascontiguousarray(values)))


WRITERS: dict[str, Writer] = {
    ".nii.gz": lambda image: gzip.compress(write_nifti(image), 6, mtime=0),
    ".nii": write_nifti,
    ".mha": write_metaimage,
    ".nrrd": write_nrrd,
    ".npy": write_npy,
    ".png": write_png,
}
"""The forms that are written, by the ending of the name."""

PLACELESS = (".npy", ".png")
"""Those that hold no place."""


def form_of(path: Path) -> str:
    """Tell the form that a name asks for.

    Raises:
        SettingError: it is none that is written.
    """
    form = next((form for form in WRITERS if path.name.lower().endswith(form)), None)
    if form is None:
        raise SettingError(f"{path}: a name that ends in {', '.join(WRITERS)} wanted")
    return form


def write_image(image: Image, form: str) -> tuple[bytes, tuple[str, ...]]:
    """Write an image.

    Args:
        image: As read.
        form: A key of `WRITERS`.

    Returns:
        The bytes of the file, and what of the image it does not hold.

    Raises:
        SettingError: the form holds no such image.
    """
    lost = []
    if form in PLACELESS and image.grid.spacing_mm is not None:
        lost.append("spacing and place")
    if image.phases:
        lost.append("names of the phases")
    if image.unit:
        lost.append(f"the unit {image.unit}")
    return WRITERS[form](image), tuple(lost)


def _told(image: Image) -> str:
    phases = f"{len(image.phases)} phases, " if image.phases else ""
    space = " x ".join(str(n) for n in image.space)
    return f"{phases}{image.channels} channels, {space} and type {image.values.dtype}"
