"""DICOM: one file with one frame or many becomes an image whose values mean what they should.

pydicom parses and decodes. Then the stored numbers are given their meaning in the standard's
order: padding is noted, the modality transform (rescale or table) makes Hounsfield units of a
CT, MONOCHROME1 is turned so that larger is brighter, palettes and YBR become RGB.

Source: DICOM PS3.3, C.7.6.3 (image pixel), C.7.5.1.1.2 (padding), C.11.1 (modality LUT), C.7.1.1.
"""

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.record import Fact
from medclf.errors import ReadError
from medclf.read.codestream import check_codestreams
from medclf.read.dicom_grid import functional_group, read_grid
from medclf.read.quiet import Quiet
from medclf.read.refuse import check_size, one_line
from medclf.read.values import narrow, settle

if TYPE_CHECKING:
    from pydicom import Dataset

GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")

FACTS = {
    "patient": "PatientID",
    "sex": "PatientSex",
    "modality": "Modality",
    "view": "ViewPosition",
    "manufacturer": "Manufacturer",
}
"""What `read_facts` calls each element that it takes as it is written."""

_TRANSFORM = "PixelValueTransformationSequence"
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}

# pydicom warns of what it can mend: a value written against the rules, a header that names the
# wrong encoding, bytes behind the last pixel. Missing pixels it raises. Its texts quote values,
# names of patients among them, which must not reach a terminal or a log.
_PYDICOM = Quiet("pydicom")


def read_dicom(raw: bytes, where: str) -> Image:
    """Read the image of a single DICOM file.

    Args:
        raw: The file's bytes. The 128 bytes before "DICM" may be missing.
        where: Names the file in messages.

    Returns:
        Values (1, Y, X), (3, Y, X) for colours, or (1 or 3, Z, Y, X) for several frames. A
        rescale other than 1 and 0, and any of a CT, gives float32 in the unit that the file
        names, "HU" for a CT that names none; else the stored whole numbers. MONOCHROME1 is
        mirrored about the middle of the range that its bits could store, so that the result
        does not hang on the picture's own extremes. Padding becomes the least of the other
        values. No window is applied.

    Raises:
        ReadError: not DICOM, without pixels, cut short, too large, or of a kind not read.
    """
    return make_image(open_dicom(raw, where), where)


def open_dicom(raw: bytes, where: str) -> "Dataset":
    """Parse a DICOM file that holds an image, without decoding its pixels.

    Raises:
        ReadError: not DICOM, without pixels, or cut short.
    """
    try:
        with _PYDICOM:
            return _parse(raw, where)
    except ReadError:
        raise
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        raise ReadError(f"{where}: no readable DICOM image: {one_line(problem)}") from problem


def make_image(dataset: "Dataset", where: str) -> Image:
    """Decode a parsed file: `read_dicom` tells what comes out and what is refused."""
    try:
        with _PYDICOM:
            photometric = str(dataset.get("PhotometricInterpretation", ""))
            frames = _check_header(dataset, photometric, where)
            check_codestreams(dataset, frames, where)
            values = _decode(dataset, photometric)
            bits, unit = int(dataset.get("BitsStored", 8 * values.dtype.itemsize)), ""
            if photometric in GREY:
                values, unit = _grey(values, dataset, photometric == "MONOCHROME1")
            else:
                values = np.moveaxis(values, -1, 0)
                bits = 8 * values.dtype.itemsize if photometric == "PALETTE COLOR" else bits
            if frames > 1 and values.ndim == 3:
                raise ReadError(f"{where}: {frames} frames wanted, found one")
            grid = read_grid(dataset, frames, where)
            modality = str(dataset.get("Modality", ""))
    except ReadError:
        raise
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        raise ReadError(f"{where}: no readable DICOM image: {one_line(problem)}") from problem
    return Image(settle(values), grid, modality, unit, bits)


def read_facts(raw: bytes, where: str = "DICOM file") -> dict[str, Fact]:
    """Read what a DICOM file says of the patient and the exam, pixels aside.

    Returns:
        patient, age_years, sex (as written: M, F, O), modality, view (PA, AP, MLO, …) and
        manufacturer; `None` where absent, empty, or an age not written by the rules.

    Raises:
        ReadError: it is not DICOM. The message never quotes what the file holds.
    """
    from pydicom import dcmread

    wanted = [*FACTS.values(), "PatientAge", "SpecificCharacterSet"]
    try:
        with _PYDICOM:
            dataset = dcmread(
                BytesIO(raw), stop_before_pixels=True, force=True, specific_tags=wanted
            )
            facts: dict[str, Fact] = {
                name: str(dataset.get(keyword) or "").strip(" \0") or None
                for name, keyword in FACTS.items()
            }
            facts["age_years"] = _age_years(str(dataset.get("PatientAge") or ""))
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        kind = type(problem).__name__
        raise ReadError(f"{where}: the DICOM header cannot be read ({kind})") from problem
    return facts


def _age_years(text: str) -> float | None:
    found = re.fullmatch(r"\s*(\d{1,3})([DWMY])\s*", text)
    return int(found[1]) * _YEARS[found[2]] if found else None


def _parse(raw: bytes, where: str) -> "Dataset":
    from pydicom import dcmread
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    dataset = dcmread(BytesIO(raw), force=True)
    if not any(f"{kind}PixelData" in dataset for kind in ("", "Float", "DoubleFloat")):
        raise ReadError(f"{where}: this DICOM file holds no pixels, or is cut short before them")
    if "TransferSyntaxUID" not in dataset.file_meta and dataset.original_encoding[1]:
        implicit = dataset.original_encoding[0]
        syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def _check_header(dataset: "Dataset", photometric: str, where: str) -> int:
    """Check what the header claims before any pixel is decoded, and count the frames."""
    if photometric not in (*GREY, *COLOUR, "PALETTE COLOR"):
        raise ReadError(f"{where}: pixels of a kind that is not read: {photometric!r}")
    frames = int(dataset.get("NumberOfFrames") or 1)
    samples = int(dataset.get("SamplesPerPixel", 1))
    if samples != (3 if photometric in COLOUR else 1):
        raise ReadError(f"{where}: {photometric} does not go with {samples} samples per pixel")
    size = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    check_size(size, where)
    check_size((frames, samples, *size), where)
    return frames


def _decode(dataset: "Dataset", photometric: str) -> NDArray[Any]:
    """Decode to (Y, X), (Z, Y, X), or with a last axis of red, green and blue."""
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array
    from pydicom.uid import RLELossless

    # For run lengths, pydicom's own decoder: the faster one panics on damaged data, past `except`.
    plugin = "pydicom" if dataset.file_meta.TransferSyntaxUID == RLELossless else ""
    values: NDArray[Any] = pixel_array(dataset, allow_excess_frames=False, decoding_plugin=plugin)
    return narrow(apply_color_lut(values, dataset)) if photometric == "PALETTE COLOR" else values


def _grey(stored: NDArray[Any], dataset: "Dataset", inverted: bool) -> tuple[NDArray[Any], str]:
    """Give stored numbers their meaning: (1, *space) and their unit."""
    padding = _padding(stored, dataset)
    if "ModalityLUTSequence" in dataset:
        values, unit = _looked_up(stored, dataset, inverted)
    else:
        values, unit = _rescaled(_mirrored(stored, dataset) if inverted else stored, dataset)
    if padding is not None and not padding.all():
        values = np.where(padding, values[~padding].min(), values)
    return values[None], unit


def _padding(stored: NDArray[Any], dataset: "Dataset") -> NDArray[np.bool_] | None:
    """Find the pixels outside the exposed field, by the stored values that mark them."""
    mark = dataset.get("PixelPaddingValue")
    if mark is None or stored.dtype.kind == "f":
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [int(mark), int(mark if limit is None else limit)]
    if stored.dtype.kind == "i":
        # Marks of signed pixels are often written as unsigned: 63536 is -2000.
        full = 1 << 8 * stored.dtype.itemsize
        ends = [end - full if end >= full // 2 else end for end in ends]
    return np.asarray((stored >= min(ends)) & (stored <= max(ends)))


def _mirrored(stored: NDArray[Any], dataset: "Dataset") -> NDArray[Any]:
    """Mirror within the range that the stored bits can hold: 0 and 4095 change places."""
    if stored.dtype.kind != "u":
        return -1 - stored
    return np.asarray((1 << int(dataset.BitsStored)) - 1 - stored, stored.dtype)


def _looked_up(
    stored: NDArray[Any], dataset: "Dataset", inverted: bool
) -> tuple[NDArray[Any], str]:
    """Apply the table of the modality; its results, not its entries, are mirrored."""
    from pydicom.pixels.processing import apply_modality_lut

    values, table = apply_modality_lut(stored, dataset), dataset.ModalityLUTSequence[0]
    if inverted:
        values = np.asarray((1 << int(table.LUTDescriptor[2])) - 1 - values, values.dtype)
    return values, _unit(table.get("ModalityLUTType"))


def _rescaled(stored: NDArray[Any], dataset: "Dataset") -> tuple[NDArray[Any], str]:
    """Apply slope and intercept, of all frames or of each; without them values stay as stored."""
    frames = len(stored) if stored.ndim == 3 else 1
    items = [functional_group(dataset, _TRANSFORM, frame) for frame in range(frames)]
    if any("RescaleSlope" not in item for item in items):
        return stored, ""
    pairs = [(float(i.RescaleSlope), float(i.get("RescaleIntercept") or 0)) for i in items]
    if any(slope == 0 or not np.isfinite((slope, start)).all() for slope, start in pairs):
        raise ValueError("a rescale slope is 0 or not a number")
    scanner = dataset.get("Modality") == "CT"
    unit = _unit(items[0].get("RescaleType") or ("HU" if scanner else ""))
    if set(pairs) == {(1.0, 0.0)} and not scanner:
        return stored, unit
    slopes, starts = np.array(pairs, np.float32).T.reshape(2, -1, 1, 1)
    values = stored.astype(np.float32).reshape(frames, *stored.shape[-2:])
    values *= slopes
    values += starts
    return values.reshape(stored.shape), unit


def _unit(kind: object) -> str:
    """Take a unit as written; US says that it is not specified."""
    text = str(kind or "").strip()
    return "" if text == "US" else text
