"""What stored numbers of a grey DICOM file mean: padding, unit, and which end is bright.

The order is the standard's: padding is noted by its stored number, then slope and intercept, a
table or a dose's scale make values of the numbers, and MONOCHROME1 is turned so that larger is
brighter.

Source: DICOM PS3.3, C.7.5.1.1.2 (padding), C.11.1 (modality LUT), C.8.8.3 (dose), C.7.6.16.2.11
(real world values), C.7.6.3.1.2 (MONOCHROME1).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medclf.read.dicom.grid import functional_group
from medclf.read.dicom.pixels import read_photometric
from medclf.read.dicom.table import Table, read_table

if TYPE_CHECKING:
    from pydicom import Dataset

_TRANSFORM = "PixelValueTransformationSequence"
_LONGEST_UNIT = 16
_PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"


@dataclass(frozen=True)
class Meaning:
    """What the values of a grey image are.

    Args:
        values: (*space) as stored, or float32 after a rescale; larger is brighter.
        unit: As the file names it, or "".
        bits: Significant bits of a value.
        mirror: Where MONOCHROME1 was turned: the file's own value is `mirror` minus ours.
    """

    values: NDArray[Any]
    unit: str
    bits: int
    mirror: float | None = None


def give_meaning(
    stored: NDArray[Any], dataset: "Dataset", room: NDArray[np.float32] | None = None
) -> Meaning:
    """Give stored numbers, (Y, X) or (Z, Y, X), their meaning.

    Args:
        stored: The numbers.
        dataset: The parsed file.
        room: Memory of the same shape, in which values may come to lie that are rescaled.

    Raises:
        ValueError: a slope is 0 or no number, frames have slopes for some only, or a table is cut
            short.
    """
    padding = _padding(stored, dataset)
    inverted = read_photometric(dataset) == "MONOCHROME1"
    if dataset.get("ModalityLUTSequence"):
        found = _looked_up(stored, dataset, inverted)
    else:
        found = _rescaled(stored, dataset, inverted, room)
    if padding is None or not padding.any() or padding.all():
        return found
    values = np.where(padding, found.values[~padding].min(), found.values)
    return Meaning(values, found.unit, found.bits, found.mirror)


def _padding(stored: NDArray[Any], dataset: "Dataset") -> NDArray[np.bool_] | None:
    """Find the pixels outside the exposed field, by the stored values that mark them."""
    mark = dataset.get("PixelPaddingValue")
    if mark is None or stored.dtype.kind == "f":
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [_signed(int(end), stored) for end in (mark, mark if limit is None else limit)]
    if ends[0] == ends[1]:
        return np.asarray(stored == ends[0])
    return np.asarray((stored >= min(ends)) & (stored <= max(ends)))


def _signed(mark: int, stored: NDArray[Any]) -> int:
    """Read a mark of signed pixels that was written as unsigned: 63536 is -2000."""
    full = 1 << 8 * stored.dtype.itemsize
    return mark - full if stored.dtype.kind == "i" and mark >= full // 2 else mark


def _looked_up(stored: NDArray[Any], dataset: "Dataset", inverted: bool) -> Meaning:
    """Apply the table of the modality; its results, not its entries, are mirrored."""
    item = dataset.ModalityLUTSequence[0]
    table: Table = read_table(item, stored.dtype.kind == "i")
    values, unit = table.look_up(stored), _unit(item.get("ModalityLUTType"))
    if not inverted:
        return Meaning(values, unit, table.bits)
    top = (1 << table.bits) - 1
    return Meaning(np.asarray(top - values, values.dtype), unit, table.bits, float(top))


def _rescaled(
    stored: NDArray[Any], dataset: "Dataset", inverted: bool, room: NDArray[np.float32] | None
) -> Meaning:
    """Apply slope and intercept, of all frames or of each; without them values stay as stored."""
    bits = int(dataset.get("BitsStored") or 8 * stored.dtype.itemsize)
    top = _top(stored, bits) if inverted else None
    shown = stored if top is None else np.asarray(top - stored, stored.dtype)
    frames = len(stored) if stored.ndim == 3 else 1
    pairs, unit = _transform(dataset, frames)
    if not pairs or (set(pairs) == {(1.0, 0.0)} and dataset.get("Modality") != "CT"):
        return Meaning(shown, unit, bits, top)
    slopes, starts = np.array(pairs, np.float64).astype(np.float32).T.reshape(2, -1, 1, 1)
    values = np.empty(stored.shape, np.float32) if room is None else room.reshape(stored.shape)
    np.copyto(values, shown, casting="same_kind" if shown.dtype.kind == "f" else "unsafe")
    values = values.reshape(-1, *stored.shape[-2:])
    if (slopes != 1).any():
        values *= slopes
    if starts.any():
        values += starts
    mirror = None
    if top is not None and len(set(pairs)) == 1:
        mirror = pairs[0][0] * top + 2 * pairs[0][1]
    return Meaning(values.reshape(stored.shape), unit, bits, mirror)


def _top(stored: NDArray[Any], bits: int) -> float:
    """Find what a stored number and its mirror image sum up to: 0 and 4095 change places.

    The range is that which the bits could store, so that it does not hang on the picture's own
    extremes. Signed numbers turn about -1/2.
    """
    return (1 << bits) - 1 if stored.dtype.kind == "u" else -1


def _transform(dataset: "Dataset", frames: int) -> tuple[list[tuple[float, float]], str]:
    """Find (slope, intercept) of each frame, and the unit of what they give."""
    if dataset.get("Modality") == "RTDOSE":
        return _checked([(dataset.get("DoseGridScaling"), 0)] * frames), _unit(
            dataset.get("DoseUnits")
        )
    if dataset.get("SOPClassUID") == _PARAMETRIC_MAP:
        return _real_world(dataset, frames)
    items = [functional_group(dataset, _TRANSFORM, frame) for frame in range(frames)]
    stated = [item for item in items if item.get("RescaleSlope") not in (None, "")]
    if not stated:
        return [], _unit(dataset.get("Units"))
    if len(stated) < frames:
        raise ValueError(f"{len(stated)} of {frames} frames state a rescale slope")
    pairs = [(item.RescaleSlope, item.get("RescaleIntercept") or 0) for item in items]
    scanner = "HU" if dataset.get("Modality") == "CT" else ""
    unit = items[0].get("RescaleType") or dataset.get("Units") or scanner
    return _checked(pairs), _unit(unit)


def _real_world(dataset: "Dataset", frames: int) -> tuple[list[tuple[float, float]], str]:
    """Read what the numbers of a parametric map measure; a map that does not say is refused."""
    name = "RealWorldValueMappingSequence"
    items = [functional_group(dataset, name, frame) for frame in range(frames)]
    units = {_unit_code(item) for item in items}
    if len(units) != 1 or any("RealWorldValueSlope" not in item for item in items):
        raise ValueError("a parametric map wants one unit, and a slope for each frame")
    pairs = [(i.RealWorldValueSlope, i.get("RealWorldValueIntercept") or 0) for i in items]
    return _checked(pairs), units.pop()


def _unit_code(item: "Dataset") -> str:
    codes = item.get("MeasurementUnitsCodeSequence") or [{}]
    return str(codes[0].get("CodeValue") or "")


def _checked(pairs: list[tuple[Any, Any]]) -> list[tuple[float, float]]:
    """Turn slopes and intercepts into numbers, and refuse what makes all values one."""
    if any(slope in (None, "") for slope, _ in pairs):
        raise ValueError("the scale of the values is not stated")
    numbers = [(float(slope), float(start)) for slope, start in pairs]
    if any(slope == 0 or not np.isfinite((slope, start)).all() for slope, start in numbers):
        raise ValueError("a rescale slope is 0 or not a number")
    return numbers


def _unit(kind: object) -> str:
    """Take a unit as written; US says that it is not specified."""
    text = str(kind or "").strip()[:_LONGEST_UNIT]
    return "" if text == "US" else text
