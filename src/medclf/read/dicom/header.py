"""What of a DICOM header decides where an image belongs: its series, form, place and marks.

A form is what images of one stack share to the letter. A place is the corner of the first pixel
and the directions of rows and columns. Marks are what tells images at one place apart: an echo
time, a moment of the heart beat, the number of an acquisition.

Source: DICOM PS3.3, C.7.6.2 (image plane), C.8.3.1 (MR), C.8.13 (enhanced MR), C.7.3.1 (series).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from medclf.core.record import Source
from medclf.read.dicom.grid import (
    Vectors,
    functional_group,
    read_numbers,
    read_plane,
    read_spacing,
)

if TYPE_CHECKING:
    from pydicom import Dataset

Mark = float | str | None

PHYSICAL = {
    "ImageType": "{}",
    "EchoTime": "echo {} ms",
    "EchoNumbers": "echo {}",
    "DiffusionBValue": "b {}",
    "DiffusionGradientOrientation": "direction {}",
    "InversionTime": "inversion {} ms",
    "FlipAngle": "flip {}°",
    "KVP": "{} kV",
    "ConvolutionKernel": "kernel {}",
    "ReconstructionAlgorithm": "reconstruction {}",
    "ContrastBolusAgent": "contrast {}",
    "SequenceName": "{}",
    "ScanOptions": "{}",
    "StackID": "stack {}",
    "EnergyWindowNumber": "energy window {}",
    "SeriesDescription": "{}",
}
"""What makes another picture of the same place, the surest first, and how it is written."""

DECLARED = {
    "TemporalPositionIdentifier": "time {}",
    "TemporalPositionIndex": "time {}",
    "NominalPercentageOfCardiacPhase": "{} %",
    "NominalPercentageOfRespiratoryPhase": "{} %",
    "TriggerTime": "{} ms",
    "NominalCardiacTriggerDelayTime": "{} ms",
    "FrameReferenceTime": "{} ms",
    "TemporalPositionTimeOffset": "{} s",
}
"""What states the moment of a timed series, the surest first, and how it is written."""

CLOCK = {"AcquisitionDateTime": "{} s", "AcquisitionTime": "{} s"}
"""The time of day of the acquisition, in seconds; what is written counts from the first."""

ACQUISITION = {"AcquisitionNumber": "acquisition {}"}

MARKS = {**PHYSICAL, **DECLARED, **CLOCK, **ACQUISITION}

COUNTS = ("CardiacNumberOfImages", "ImagesInAcquisition", "NumberOfSlices")
"""What states how many images there should be."""

FORM = (
    *("SeriesInstanceUID", "Modality", "SOPClassUID", "FrameOfReferenceUID", "Rows", "Columns"),
    *("SamplesPerPixel", "PhotometricInterpretation"),
)

FRAME_MARKS = {
    "ImageType": (
        ("MRImageFrameTypeSequence", "FrameType"),
        ("CTImageFrameTypeSequence", "FrameType"),
        ("PETFrameTypeSequence", "FrameType"),
    ),
    "EchoTime": (("MREchoSequence", "EffectiveEchoTime"),),
    "DiffusionBValue": (("MRDiffusionSequence", "DiffusionBValue"),),
    "ConvolutionKernel": (("CTReconstructionSequence", "ConvolutionKernel"),),
    "KVP": (("CTXRayDetailsSequence", "KVP"),),
    "StackID": (("FrameContentSequence", "StackID"),),
    "AcquisitionNumber": (("FrameContentSequence", "FrameAcquisitionNumber"),),
    "TemporalPositionIndex": (("FrameContentSequence", "TemporalPositionIndex"),),
    "AcquisitionDateTime": (("FrameContentSequence", "FrameAcquisitionDateTime"),),
    "NominalPercentageOfCardiacPhase": (
        ("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase"),
    ),
    "NominalCardiacTriggerDelayTime": (
        ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ),
    "NominalPercentageOfRespiratoryPhase": (
        ("RespiratorySynchronizationSequence", "NominalPercentageOfRespiratoryPhase"),
    ),
    "TemporalPositionTimeOffset": (("TemporalPositionSequence", "TemporalPositionTimeOffset"),),
}
"""Where a frame of an enhanced file states a mark: the functional group and its element."""

_COMMON = (
    *(0x0020000E, 0x00080060, 0x00080016, 0x00200052, 0x00280010, 0x00280011, 0x00280002),
    *(0x00280004, 0x00080008, 0x00200037, 0x00280030, 0x00180050, 0x00181164, 0x00209161),
    *(0x00180081, 0x00180086, 0x00189087, 0x00189089, 0x00180082, 0x00181314, 0x00180060),
    *(0x00181210, 0x00189315, 0x00180010, 0x00180024, 0x00180022, 0x00209056, 0x0008103E),
)
"""Tags: the elements of `FORM`, those of direction, spacing and thickness, ConcatenationUID, and
`PHYSICAL` but for energy windows, which have no places."""

_PER_FRAME = 0x52009230

PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness")

ELEMENTS = (
    *("PatientID", "StudyInstanceUID", "SOPInstanceUID", "AccessionNumber", "SeriesDescription"),
    *("SpecificCharacterSet", "NumberOfFrames", "AcquisitionDate", "ConcatenationUID"),
    *("InstanceNumber", "SeriesNumber", *FORM, *PLACE, *MARKS, *COUNTS),
)
"""All that is read of a header; everything else is passed over."""

DECIMALS = 6
"""Marks that agree in so many decimals are the same."""


class Form(NamedTuple):
    """What images of one stack have in common, as `FORM` lists it."""

    series: str
    modality: str
    kind: str
    frame_of_reference: str
    rows: int
    columns: int
    samples: int
    photometric: str
    localizer: bool


@dataclass(frozen=True, eq=False)
class Header:
    """One image of a series, pixels aside.

    Args:
        source: Its file.
        form: What it shares with its neighbours.
        instance: SOPInstanceUID, "" where there is none, and of one frame of many.
        frames: How many images its file holds.
        place: (z, y, x) of the centre of its first pixel, in mm of the LPS frame.
        axes: Directions of y and x as unit rows (z, y, x).
        spacing_mm: Distance of pixels along y and x.
        thickness_mm: How thick the slice is.
        mark: Reads a mark by its name.
        concatenation: What the files of one image have in common that is parted into several.
    """

    source: Source
    form: Form
    instance: str
    frames: int
    place: Vectors | None
    axes: Vectors | None
    spacing_mm: tuple[float, ...] | None
    thickness_mm: float | None
    mark: Callable[[str], Mark]
    concatenation: str = ""

    @property
    def placed(self) -> bool:
        """Whether it can be a slice of a volume."""
        stated = (self.place, self.axes, self.spacing_mm)
        alone = self.frames == 1 and not self.concatenation
        return alone and all(part is not None for part in stated)


class Common(NamedTuple):
    """What most slices of a series state to the letter alike."""

    form: Form
    axes: Vectors | None
    spacing_mm: tuple[float, ...] | None
    thickness_mm: float | None
    concatenation: str


Known = dict[tuple[object, ...], Common]
"""What was read before, by the bytes that state it."""


def describe(
    dataset: "Dataset", source: Source, frame: int | None = None, known: Known | None = None
) -> Header:
    """Read what decides where an image belongs.

    Args:
        dataset: A parsed header.
        source: Its file.
        frame: One frame of many; without it the file as a whole is meant.
        known: Shared by the files of a series, spares reading again what all state alike.

    Raises:
        ReadError: a place or a distance is no number, or not as many as there must be.
    """
    where, at = str(source), frame or 0
    raw = {} if known is None or frame is not None else raw_values(dataset)
    if known is None or not raw or _PER_FRAME in raw:
        common, flat = _read_common(dataset, at, where), _group(dataset, "PlanePosition", at)
    else:
        key = tuple(str(raw.get(tag)) for tag in _COMMON)
        common, flat = known.get(key) or _read_common(dataset, at, where), dataset
        known[key] = common
    place = read_numbers(flat, "ImagePositionPatient", 3, where)
    return Header(
        source,
        common.form,
        str(dataset.get("SOPInstanceUID") or "") if frame is None else "",
        int(dataset.get("NumberOfFrames") or 1) if frame is None else 1,
        None if place is None else np.array(place[::-1]),
        common.axes,
        common.spacing_mm,
        common.thickness_mm,
        lambda name: read_mark(dataset, name, at),
        common.concatenation if frame is None else "",
    )


def _group(dataset: "Dataset", name: str, frame: int) -> "Dataset":
    return functional_group(dataset, f"{name}Sequence", frame)


def raw_values(dataset: "Dataset") -> dict[int, object]:
    """Find by tag the bytes of all elements, or their values where they were read already."""
    return {int(element.tag): element.value for element in dataset.values()}


def _read_common(dataset: "Dataset", at: int, where: str) -> Common:
    series, modality, kind, frame_of_reference, photometric = (
        str(dataset.get(name) or "").strip(" \0") for name in (*FORM[:4], FORM[7])
    )
    rows, columns, samples = (int(dataset.get(name) or 0) for name in FORM[4:7])
    sort = str(read_mark(dataset, "ImageType", at)).upper()
    localizer = "LOCALIZER" in sort or "SCOUT" in sort
    sizes = rows, columns, samples
    form = Form(series, modality, kind, frame_of_reference, *sizes, photometric, localizer)
    thickness = read_numbers(_group(dataset, "PixelMeasures", at), "SliceThickness", 1, where)
    return Common(
        form,
        read_plane(dataset, at, where),
        read_spacing(dataset, where, at),
        None if thickness is None or thickness[0] <= 0 else thickness[0],
        str(dataset.get("ConcatenationUID") or ""),
    )


def read_mark(dataset: "Dataset", name: str, frame: int = 0) -> Mark:
    """Read a mark as a number or a word; `None` where it is absent, empty or no such thing."""
    for sequence, keyword in FRAME_MARKS.get(name, ()):
        item = functional_group(dataset, sequence, frame)
        if item is not dataset and item.get(keyword) not in (None, ""):
            return _plain(item.get(keyword), keyword)
    mark = _plain(dataset.get(name), name)
    if name == "AcquisitionTime" and isinstance(mark, float):
        day = str(dataset.get("AcquisitionDate") or "")
        seconds = _seconds(f"{day}000000", "AcquisitionDateTime") if day else 0.0
        return mark + (seconds or 0.0)
    return mark


def _plain(value: object, name: str) -> Mark:
    if value is None or value == "":
        return None
    if name.endswith(("DateTime", "Time")) and isinstance(value, str):
        return _seconds(value, name)
    if isinstance(value, str):
        return value.strip(" \0") or None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "\\".join(str(part) for part in value) if isinstance(value, Iterable) else None
    return round(number, DECIMALS) if isfinite(number) else None


def _seconds(text: str, name: str) -> float | None:
    """Turn a moment, YYYYMMDDHHMMSS.F of a DateTime or HHMMSS.F of a Time, into seconds."""
    found = re.match(r"(\d{8})?(\d\d)(\d\d)?(\d\d(?:\.\d+)?)?", text.strip())
    if found is None or (found[1] is None) == name.endswith("DateTime"):
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups()[1:])
    try:
        day = 0 if found[1] is None else datetime.strptime(found[1], "%Y%m%d").toordinal()
    except ValueError:
        return None
    return 86400.0 * day + 3600 * hours + 60 * minutes + seconds
