"""DICOM: one file with one frame or many becomes an image whose values mean what they should.

pydicom parses. Then each step is a file of its own: the stored numbers (`pixels`), their
meaning (`values`), their place in the patient (`grid`), the window in which the file wants
to be seen (`window`), and for PET the way to standardised uptake (`suv`).

Source: DICOM PS3.3, A and C.7.6; PS3.10, 7.
"""

import zlib
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.read.archive import check_unpacked
from medclf.read.dicom.cine import make_phases
from medclf.read.dicom.concatenation import check_whole
from medclf.read.dicom.frames import arrange_frames
from medclf.read.dicom.grid import read_grid
from medclf.read.dicom.pixels import GREY, PALETTE, check_pixels, read_photometric, read_pixels
from medclf.read.dicom.suv import tell_suv
from medclf.read.dicom.values import give_meaning
from medclf.read.dicom.window import read_display
from medclf.read.quiet import PYDICOM
from medclf.read.refuse import VALUES, one_line
from medclf.read.values import settle

if TYPE_CHECKING:
    from pydicom import Dataset

DEFLATED = b"1.2.840.10008.1.2.1.99"
_GROUP_LENGTH = b"\x02\0\0\0"
_HEAD, _LATER = 2048, 2**16
_PIECE = 2**20
_PET = ("PT", "PET")


def read_dicom(raw: bytes, where: str) -> Image:
    """Read the image of a single DICOM file.

    Args:
        raw: The file's bytes. The 128 bytes before "DICM" may be missing.
        where: Names the file in messages.

    Returns:
        Values (1, Y, X), (3, Y, X) for colours, or (1 or 3, Z, Y, X) for several frames; frames
        that state places of their own are in the order of these, also in phases. A
        rescale other than 1 and 0, and any of a CT, gives float32 in the unit that the file
        names, "HU" for a CT that names none; else the stored whole numbers. A dose is in its own
        unit, as is a parametric map. MONOCHROME1 is mirrored about the middle of the range that
        its bits could store, so that the result does not hang on the picture's own extremes.
        Padding becomes the least of the other values. No window is applied: it stands in
        `display`. Values of a PET stay in the file's unit: what makes SUV of them is in `suv`.

    Raises:
        ReadError: not DICOM, without pixels, cut short, too large, or of a kind not read.
    """
    return make_image(open_dicom(raw, where), where)


def open_dicom(raw: bytes | BinaryIO, where: str) -> "Dataset":
    """Parse a DICOM file that holds an image, without decoding its pixels.

    Args:
        raw: The file's bytes, or the open file, of which long values such as the pixels are read
            when they are asked for.
        where: Names the file in messages.

    Raises:
        ReadError: not DICOM, without pixels, or cut short.
    """
    try:
        with PYDICOM:
            return _parse(BytesIO(raw) if isinstance(raw, bytes) else raw, where)
    except ReadError:
        raise
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        raise ReadError(f"{where}: no readable DICOM image: {one_line(problem)}") from problem


def make_image(dataset: "Dataset", where: str, room: NDArray[np.float32] | None = None) -> Image:
    """Decode a parsed file: `read_dicom` tells what comes out and what is refused.

    Args:
        dataset: The file.
        where: Names it in messages.
        room: Memory in which the values of a grey image may come to lie.
    """
    try:
        with PYDICOM:
            remarks = check_whole(dataset, where)
            frames = check_pixels(dataset, where)
            image = _as_stored(dataset, frames, where, room)
            ordered = arrange_frames(image, dataset, where)
            if ordered is not image and len(image.display.centres if image.display else ()) > 1:
                ordered = replace(ordered, display=None)  # Each frame has another place now.
            image = make_phases(ordered, dataset, where)
            return replace(image, remarks=(*image.remarks, *remarks)) if remarks else image
    except ReadError:
        raise
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        raise ReadError(f"{where}: no readable DICOM image: {one_line(problem)}") from problem


def _as_stored(
    dataset: "Dataset", frames: int, where: str, room: NDArray[np.float32] | None
) -> Image:
    """Make an image whose frames lie in the order of the file."""
    stored = read_pixels(dataset, frames, where)
    grid = read_grid(dataset, frames, where)
    modality, photometric = str(dataset.get("Modality") or ""), read_photometric(dataset)
    if photometric not in GREY:
        values, bits = np.moveaxis(stored, -1, 0), int(dataset.get("BitsStored") or 8)
        bits = 8 * values.dtype.itemsize if photometric == PALETTE else bits
        return Image(settle(values), grid, modality, bits=bits)
    found = give_meaning(stored, dataset, room)
    display = read_display(dataset, frames, found.values.dtype.kind != "u", found.mirror)
    suv = tell_suv(dataset) if modality in _PET else ""
    values = settle(found.values[None])
    return Image(values, grid, modality, found.unit, found.bits, display=display, suv=suv)


def _parse(file: BinaryIO, where: str) -> "Dataset":
    from pydicom import dcmread
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    head, later = file.read(_HEAD), None if isinstance(file, BytesIO) else _LATER
    if DEFLATED in head:
        check_deflated(head + file.read(), where)
        later = None
    file.seek(0)
    dataset = dcmread(file, defer_size=later, force=True)
    if not any(f"{kind}PixelData" in dataset for kind in ("", "Float", "DoubleFloat")):
        raise ReadError(f"{where}: this DICOM file holds no pixels, or is cut short before them")
    if "TransferSyntaxUID" not in dataset.file_meta and dataset.original_encoding[1]:
        implicit = dataset.original_encoding[0]
        syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def check_deflated(raw: bytes, where: str) -> None:
    """Count what a deflated file unpacks to, a piece at a time, before pydicom does it at once.

    Raises:
        ReadError: it unpacks to too much, or does not tell where it begins.
    """
    if raw[132:136] != _GROUP_LENGTH:
        raise ReadError(f"{where}: a deflated DICOM file whose header does not tell its length")
    tail = raw[144 + int.from_bytes(raw[140:144], "little") :]
    stream, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while tail and not stream.eof:
        size += len(stream.decompress(tail, _PIECE))
        tail = stream.unconsumed_tail
        check_unpacked(size, len(raw), VALUES, where)
