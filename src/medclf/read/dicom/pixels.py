"""The stored numbers of a DICOM file, whatever their packing: as they were before compression.

Plain pixels are unpacked here, by pydicom or, where it does not know the layout, by shifting bits:
bits beside the stored ones, which older files use for overlays, are cut off. Compressed ones are
decoded in a process of their own, after each frame's own header was held against the file's.
YBR becomes RGB, a palette's numbers become its colours.

Source: DICOM PS3.5, 8.1.1, 8.2 and annex A; PS3.3, C.7.6.3.1.2.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medclf.errors import ReadError
from medclf.read.archive import check_unpacked
from medclf.read.dicom.codestream import check_codestreams
from medclf.read.dicom.decoders import decode_apart
from medclf.read.dicom.palette import apply_palette
from medclf.read.refuse import VALUES, check_size, quote

if TYPE_CHECKING:
    from pydicom import Dataset

GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
PALETTE = "PALETTE COLOR"


def check_pixels(dataset: "Dataset", where: str) -> int:
    """Check what the header claims before any pixel is decoded, and count the frames.

    Raises:
        ReadError: pixels of a kind that is not read, none, or too many.
    """
    photometric = read_photometric(dataset)
    if photometric not in (*GREY, *COLOUR, PALETTE):
        raise ReadError(f"{where}: pixels of a kind that is not read: {quote(photometric)}")
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if not _has_decoder(syntax):
        name = quote(str(getattr(syntax, "name", "the file does not state")))
        raise ReadError(f"{where}: pixels stored as {name} are not read")
    frames = _count(dataset, "NumberOfFrames", 1, where)
    samples = _count(dataset, "SamplesPerPixel", 1, where)
    if samples != (3 if photometric in COLOUR else 1):
        raise ReadError(f"{where}: {photometric} does not go with {samples} samples per pixel")
    size = _count(dataset, "Rows", 0, where), _count(dataset, "Columns", 0, where)
    check_size(size, where)
    check_size((frames, samples, *size), where)
    return frames


def _has_decoder(syntax: Any) -> bool:
    """Tell whether pixels of a transfer syntax can be decoded here."""
    from pydicom.pixels.decoders.base import get_decoder

    try:
        return syntax is not None and bool(get_decoder(syntax).is_available)
    except NotImplementedError:  # How pydicom says that it does not know the syntax.
        return False


def read_photometric(dataset: "Dataset") -> str:
    """Read what the samples mean: one of `GREY`, `COLOUR` or `PALETTE`, or another word."""
    return str(dataset.get("PhotometricInterpretation") or "")


def _count(dataset: "Dataset", keyword: str, otherwise: int, where: str) -> int:
    value = dataset.get(keyword)
    try:
        return int(value if value not in (None, "") else otherwise)
    except (TypeError, ValueError) as problem:
        raise ReadError(f"{where}: {keyword} is no whole number") from problem


def read_pixels(dataset: "Dataset", frames: int, where: str) -> NDArray[Any]:
    """Read the stored numbers of a file that `check_pixels` has passed.

    Args:
        dataset: The parsed file.
        frames: How many it holds.
        where: Names the file in messages.

    Returns:
        (Y, X) of a grey image and (Z, Y, X) of several frames, as stored; with a last axis of red,
        green and blue where it is coloured.

    Raises:
        ReadError: a compressed frame is damaged, or states another size than the file.
        ValueError: plain pixels are too few, or a palette is absent or cut short.
    """
    from pydicom.pixels.utils import pixel_array

    # A codestream of no more bits than are stored has dropped the others: they begin at 0 again.
    bits = check_codestreams(dataset, frames, where) or int(dataset.get("BitsAllocated") or 0)
    aside = _ends_high(dataset) and bits > int(dataset.BitsStored)
    options: dict[str, Any] = {"allow_excess_frames": False, "correct_unused_bits": not aside}
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        values = _decompress(dataset, options, where)
    elif dataset.get("BitsAllocated") == _PACKED:
        values = _unpack(dataset, frames)
    else:
        values = pixel_array(dataset, **options)
    if aside:
        values = _aligned(values, int(dataset.BitsStored), int(dataset.HighBit))
    if frames > 1 and len(values) != frames:
        raise ReadError(f"{where}: {frames} frames wanted, found one")
    return apply_palette(values, dataset) if read_photometric(dataset) == PALETTE else values


def _decompress(dataset: "Dataset", given: dict[str, Any], where: str) -> NDArray[Any]:
    from pydicom.pixels.utils import as_pixel_options

    options = as_pixel_options(dataset, **given)
    values = 1
    for name in ("rows", "columns", "samples_per_pixel", "number_of_frames"):
        values *= int(options[name])
    size = values * max(1, int(options["bits_allocated"]) // 8)
    check_unpacked(size, len(dataset.PixelData), 8 * VALUES, where)
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    return decode_apart(syntax, options, dataset.PixelData, size, where)


_PACKED = 12
"""Bits of a sample where three bytes hold two, as files of the nineties have it."""


def _unpack(dataset: "Dataset", frames: int) -> NDArray[Any]:
    """Unpack samples of 12 bits that lie back to back, the lesser bits first."""
    count = frames * int(dataset.Rows) * int(dataset.Columns)
    raw = np.frombuffer(dataset.PixelData, np.uint8)
    wanted = (count * _PACKED + 7) // 8
    if len(raw) < wanted:
        raise ValueError(f"less pixel data than expected: {wanted} bytes wanted, found {len(raw)}")
    triples = np.resize(raw[:wanted], ((count + 1) // 2, 3)).astype(np.uint16)
    first = triples[:, 0] | (triples[:, 1] & 15) << 8
    second = triples[:, 1] >> 4 | triples[:, 2] << 4
    values = np.stack([first, second], axis=1).reshape(-1)[:count]
    if dataset.get("PixelRepresentation"):
        values = (values << 4).view(np.int16) >> 4
    shape = (frames, int(dataset.Rows), int(dataset.Columns))
    return values.reshape(shape[1:] if frames == 1 else shape)


def _ends_high(dataset: "Dataset") -> bool:
    """Tell whether the stored bits end above the place where they would if they began at 0."""
    stored, allocated = dataset.get("BitsStored"), dataset.get("BitsAllocated")
    high = dataset.get("HighBit")
    return bool(stored and allocated and high is not None and stored <= high < allocated)


def _aligned(values: NDArray[Any], stored: int, high: int) -> NDArray[Any]:
    """Move bits that end at a higher one than they need down to where they belong."""
    left = 8 * values.dtype.itemsize - 1 - high
    return (values << left) >> (8 * values.dtype.itemsize - stored)
