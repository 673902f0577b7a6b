"""The forms of image that are read, each with its signature and its reader: a hand-written table.

What the first bytes of a file say decides, since names lie.
"""

from collections.abc import Callable

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.read.analyze import SIGNATURES as ANALYZE
from medclf.read.analyze import read_analyze
from medclf.read.array import MAGIC, ZIP, read_array, read_only_array
from medclf.read.dicom.file import read_dicom
from medclf.read.inflate import GZIP
from medclf.read.jpeg import JPEG
from medclf.read.metaimage import SIGNATURES as META
from medclf.read.metaimage import read_metaimage
from medclf.read.nifti import NIFTI_1, NIFTI_2, read_nifti
from medclf.read.nrrd import SIGNATURE as NRRD
from medclf.read.nrrd import read_nrrd
from medclf.read.raster import BMP, PNG, read_raster
from medclf.read.tiff import SIGNATURES as TIFF
from medclf.read.tiff import read_tiff

Reader = Callable[[bytes, str], Image]

FORMS: tuple[tuple[int, tuple[bytes, ...], Reader], ...] = (
    (128, (b"DICM",), read_dicom),
    (0, (PNG, JPEG), read_raster),
    (0, TIFF, read_tiff),
    (0, (MAGIC,), read_array),
    (0, (ZIP,), read_only_array),
    (0, (BMP,), read_raster),
)
"""Where a form's signature stands, the signature, and the form's reader. The first to fit reads."""

SpreadReader = Callable[[bytes, Source], Image]

SPREAD: tuple[tuple[int, tuple[bytes, ...], SpreadReader], ...] = (
    (344, NIFTI_1, read_nifti),
    (4, NIFTI_2, read_nifti),
    (0, (GZIP,), read_nifti),
    (0, (NRRD,), read_nrrd),
    (0, META, read_metaimage),
    (0, ANALYZE, read_analyze),
)
"""Likewise the forms whose pixels may lie in another file than their header; asked thereafter."""

UNREAD: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "GIF, which may move"),
    (8, b"WEBP", "WebP, which may move"),
    (0, b"SIMPLE  =", "FITS"),
    (0, b"\x89HDF", "HDF5 or MINC"),
    (0, b"CDF", "MINC"),
)
"""Signatures of forms that a person might expect, and are not read."""


def read_form(raw: bytes, source: Source) -> Image | None:
    """Read a file by the form that its first bytes tell; `None` where they tell none.

    Raises:
        ReadError: the form's reader refuses it.
    """
    for start, signatures, read in FORMS:
        if raw.startswith(signatures, start):
            return read(raw, str(source))
    for start, signatures, read_spread in SPREAD:
        if raw.startswith(signatures, start):
            return read_spread(raw, source)
    return None


def name_form(raw: bytes) -> str:
    """Name what a file is that is not read, or tell how it begins."""
    found = next((name for start, sign, name in UNREAD if raw.startswith(sign, start)), None)
    return found or f"{raw[:8]!r} …"
