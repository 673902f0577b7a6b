"""Identity in the pixels themselves: text that is burnt in is masked, in all frames alike.

Ultrasound machines print the patient's name above the picture, and a screen capture is a
photograph of whatever stood on the screen. Of these, and of whatever says of itself that text is
burnt in, the lines that look like text are painted over; of ultrasound also all that lies outside
of the regions that the file names. Other kinds of pictures are only searched, and what is found is
told. Compressed pictures that were painted are compressed anew, without loss.

Source: DICOM PS3.15, E.3.1 (Clean Pixel Data); PS3.3, C.8.5.5 (ultrasound regions), C.7.6.1.1.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.remark import Remark
from medclf.curate.deidentify.burnt_text import Box, find_text
from medclf.errors import ReadError
from medclf.read.dicom.pixels import PALETTE, check_pixels, read_pixels

if TYPE_CHECKING:
    from pydicom import Dataset

WRITTEN_MODALITIES = frozenset({"US", "IVUS", "OT", "SC", "DOC", "SR", "PR", "BDUS", "KO"})
ULTRASOUND = frozenset({"US", "IVUS", "BDUS"})
CAPTURES = "1.2.840.10008.5.1.4.1.1.7"
"""The class of secondary captures, and the beginning of those of several frames."""

BANNER = 0.08
"""Share of the rows of an ultrasound picture that is masked on top where no region is named."""

UNSEEN = "pixels unseen"
"""The remark on a file whose pixels could not be decoded."""

FRAMES_SEARCHED = 64
"""Frames of a picture that is only searched; of one that is masked, all are."""


@dataclass(frozen=True)
class Painted:
    """What became of the pixels.

    Args:
        masked: Share of the picture that was painted over.
        remarks: What a person must look at.
    """

    masked: float = 0.0
    remarks: tuple[Remark, ...] = ()


def expects_text(dataset: "Dataset") -> bool:
    """Tell whether text is usual in this kind of picture, or said to be in this one."""
    kind = str(dataset.get("SOPClassUID") or "")
    captured = kind == CAPTURES or kind.startswith(f"{CAPTURES}.") or "ConversionType" in dataset
    said = str(dataset.get("BurnedInAnnotation") or "").strip().upper() == "YES"
    return captured or said or str(dataset.get("Modality") or "") in WRITTEN_MODALITIES


def clean_pixels(dataset: "Dataset", mask: bool, where: str) -> Painted:
    """Mask burnt-in text in place, or tell of it.

    Args:
        dataset: The parsed file, before its header is cleaned.
        mask: Whether text is to be masked where it is expected.
        where: Names the file in messages.

    Raises:
        ReadError: text is expected, and the pixels cannot be read or written.
    """
    if "PixelData" not in dataset:
        return Painted()
    expected = expects_text(dataset)
    try:
        shown = _look(dataset, where)
    except Exception as problem:  # Decoders have no closed list of what damaged files raise.
        if expected and mask:
            raise ReadError(
                f"{where}: text may be burnt in, and the pixels cannot be read"
            ) from problem
        return Painted(remarks=(Remark(UNSEEN, type(problem).__name__),))
    area = _find_area(shown, dataset, expected)
    if not area.any():
        return Painted()
    if not (expected and mask):
        return Painted(remarks=(Remark("burnt-in text", f"{area.mean():.1%} of the picture"),))
    paint(dataset, area, where)
    share = float(area.mean())
    return Painted(share, (Remark("masked", f"{share:.1%} of the picture"),))


def _look(dataset: "Dataset", where: str) -> NDArray[np.uint8]:
    """Decode to (F, Y, X) or (F, Y, X, 3) of 8 bits, as the pixels look."""
    frames = check_pixels(dataset, where)
    values = read_pixels(dataset, frames, where)
    stack = values if frames > 1 else values[None]
    if stack.dtype == np.uint8:
        return stack
    low, high = np.quantile(stack[:: max(1, len(stack) // 8)], (0.001, 0.999))
    scaled = (stack.astype(np.float32) - low) * (255 / max(high - low, 1e-6))
    return np.asarray(scaled.clip(0, 255), np.uint8)


def _find_area(shown: NDArray[np.uint8], dataset: "Dataset", expected: bool) -> NDArray[np.bool_]:
    """Find what is text, (Y, X), in any frame, and what lies outside of ultrasound regions."""
    size = shown.shape[1], shown.shape[2]
    area = np.zeros(size, bool)
    step = 1 if expected else max(1, len(shown) // FRAMES_SEARCHED)
    last = None
    for frame in shown[::step]:
        if last is None or not np.array_equal(frame, last):
            for box in find_text(frame, expected):
                area[box.top : box.bottom, box.left : box.right] = True
        last = frame
    if dataset.get("Modality") in ULTRASOUND:
        area |= _outside(dataset, size)
    return area


def _outside(dataset: "Dataset", size: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark what lies outside of all ultrasound regions, or the top where none is named."""
    outside = np.ones(size, bool)
    boxes = [
        box for item in dataset.get("SequenceOfUltrasoundRegions") or () if (box := _box(item))
    ]
    if not boxes:
        outside[round(BANNER * size[0]) :] = False
    for box in boxes:
        outside[box.top : box.bottom, box.left : box.right] = False
    return outside


def _box(region: "Dataset") -> Box | None:
    names = ("RegionLocationMinY0", "RegionLocationMaxY1", "RegionLocationMinX0",
             "RegionLocationMaxX1")  # fmt: skip
    edges = [region.get(name) for name in names]
    if None in edges:
        return None
    top, bottom, left, right = (max(0, int(edge)) for edge in edges)
    return Box(top, bottom + 1, left, right + 1)


def paint(dataset: "Dataset", area: NDArray[np.bool_], where: str) -> None:
    """Paint an area black in all frames, and store the pixels without loss.

    Args:
        dataset: The parsed file; its pixels and what describes them are replaced.
        area: (Y, X), true where it is to be black.

    Raises:
        ReadError: the pixels are packed in a way that cannot be written.
    """
    from pydicom.pixels.utils import pixel_array
    from pydicom.uid import ExplicitVRLittleEndian, RLELossless

    allocated = int(dataset.get("BitsAllocated") or 0)
    if allocated not in (8, 16, 32):
        raise ReadError(f"{where}: text in pixels of {allocated} bits cannot be masked")
    packed = dataset.file_meta.TransferSyntaxUID.is_encapsulated
    frames = int(dataset.get("NumberOfFrames") or 1)
    if packed:
        values = _unpacked(dataset, frames, where)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        if dataset.SamplesPerPixel == 3:
            dataset.PhotometricInterpretation = "RGB"
    else:
        values = pixel_array(dataset, raw=True, correct_unused_bits=False).copy()
        if dataset.PhotometricInterpretation == "YBR_FULL_422":
            dataset.PhotometricInterpretation = "YBR_FULL"
    coloured = dataset.SamplesPerPixel == 3
    values[(..., area, slice(None)) if coloured else (..., area)] = _black(values, dataset)
    store(dataset, values)
    if packed:
        dataset.compress(RLELossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)


def _unpacked(dataset: "Dataset", frames: int, where: str) -> NDArray[Any]:
    """Decode a compressed file's stored numbers; of a palette its numbers, not its colours."""
    meaning = dataset.PhotometricInterpretation
    if meaning == PALETTE:
        dataset.PhotometricInterpretation = "MONOCHROME2"
    try:
        return np.array(read_pixels(dataset, frames, where))
    finally:
        dataset.PhotometricInterpretation = meaning


def _black(values: NDArray[Any], dataset: "Dataset") -> Any:
    """Find the stored number, or numbers, that are shown darkest."""
    meaning = dataset.PhotometricInterpretation
    if meaning == "YBR_FULL":
        return np.array([0, 128, 128], values.dtype)
    if meaning == "MONOCHROME1":
        return values.max()
    if meaning == PALETTE:
        from pydicom.pixels.processing import apply_color_lut

        numbers = np.unique(values)
        return numbers[apply_color_lut(numbers[None], dataset)[0].sum(-1).argmin()]
    return 0 if values.dtype.kind == "u" else values.min()


def store(dataset: "Dataset", values: NDArray[Any]) -> None:
    """Put plain numbers into a data set, in the byte order of its file."""
    little = dataset.file_meta.TransferSyntaxUID.is_little_endian
    raw = values.astype(values.dtype.newbyteorder("<" if little else ">"), copy=False).tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OB" if values.dtype.itemsize == 1 else "OW"
    dataset["PixelData"].is_undefined_length = False
    if int(dataset.SamplesPerPixel) == 3:
        dataset.PlanarConfiguration = 0
    for name in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if name in dataset:
            delattr(dataset, name)
