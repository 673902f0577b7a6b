"""Every file of pydicom's package: what is read of it, held against pydicom and SimpleITK.

    python bench/dicom_files.py > docs/dicom-files.md

pydicom is the truth for values: its `pixel_array`, then by hand, with its own functions, the
palette, the modality's table or slope, the dose's scale, and the mirror of MONOCHROME1, with the
axes in our order. Where SimpleITK reads a file, its values and its affine are compared as well. The
page lists each difference from it and says who is right. Nothing is downloaded.
"""

import logging
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.read.dicom.file import read_dicom

ROOT = Path(pydicom.__file__).parent / "data"
OTHERS = (".py", ".pyc", ".json", ".txt", ".md", ".dump", ".icc", ".gz")
ROUNDING = 2.0
"""Shades by which two decoders of lossy JPEG, or two conversions from YBR, may differ."""

NO_PIXELS = "holds no pixels"
AGREED = ("equal", "equal but for rounding", "equal, place equal")

SYNTAX = re.compile(r"\s*\(.*|, Non-Hierarchical.*| Image Compression.*")

WHY = (
    (r"^JPEG-lossy", "Refused. Its scan ends at coefficient 0 where the standard wants 63; GDCM, "
     "with which SimpleITK reads, does not mind. Decoders that do not mind also take frames that "
     "are cut short, and fill them with grey, so ours minds."),
    (r"^badVR", "Refused. Its number of frames is the word 1A. SimpleITK guesses 1."),
    (r"^rtdose", "Ours is right: the dose, in the unit of the file. SimpleITK gives the stored "
     "numbers, without DoseGridScaling."),
    (r"^SC_rgb_rle_(16|32)bit", "Ours is right, and pydicom's: SimpleITK mixes up the bytes of "
     "colours of more than 8 bits in run lengths."),
    (r"^liver", "The same mask: ours is 0 and 1 as stored, SimpleITK's 0 and 255."),
    (r"^693_J2KI", "Ours gives the pixels outside of the field, marked by PixelPaddingValue, the "
     "least of the other values. SimpleITK leaves the mark among the Hounsfield units."),
    (r"^examples_ybr", "Lossy JPEG with colours at half resolution, which decoders smooth each in "
     "its way: up to 3 of 255 shades."),
)  # fmt: skip
"""Why a file whose name fits differs from SimpleITK, and who is right."""


@dataclass(frozen=True)
class Row:
    """What became of one file.

    Args:
        name: Below pydicom's data folder.
        kind: Modality, as the header states it.
        syntax: How its pixels are stored, in short.
        read: What was read, or why it was refused.
        pydicom: Whether pydicom's values agree: "equal", a difference, or "refuses too".
        itk: The same of SimpleITK's values and affine; "" where it does not read the file.
    """

    name: str
    kind: str
    syntax: str
    read: str
    pydicom: str
    itk: str


def list_files() -> list[Path]:
    """List what pydicom's package carries, notes and tables aside."""
    found = (path for path in ROOT.rglob("*") if path.is_file() and path.suffix not in OTHERS)
    return sorted(path for path in found if path.name != "README")


def true_values(dataset: Dataset) -> np.ndarray:
    """Give pixels their meaning by pydicom alone: channels, then space."""
    stored = dataset.pixel_array
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        colours = apply_color_lut(stored, dataset)
        stored = (
            colours >> 8 if (colours % 257 == 0).all() or (colours % 256 == 0).all() else colours
        )
    if dataset.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2"):
        return np.moveaxis(stored, -1, 0)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        signed = dataset.PixelRepresentation == 1
        stored = (-1 if signed else (1 << dataset.BitsStored) - 1) - stored.astype(np.int64)
    values = apply_modality_lut(stored, dataset)
    if "DoseGridScaling" in dataset:
        values = values * float(dataset.DoseGridScaling)
    if (mark := dataset.get("PixelPaddingValue")) is not None:
        padding = dataset.pixel_array == (np.int16(np.uint16(mark)) if mark > 2**15 else mark)
        if padding.any() and not padding.all():
            values = np.where(padding, values[~padding].min(), values)
    return values[None]


def judge(path: Path) -> Row:
    """Read a file by all three."""
    image, reason = _ours(path)
    kind, syntax = _head(path)
    try:
        truth: np.ndarray | None = true_values(dcmread(path, force=True))
    except Exception as problem:
        truth, refused = None, type(problem).__name__
    if image is None:
        against = f"refuses too ({refused})" if truth is None else "READS IT"
        return Row(_name(path), kind, syntax, f"refused: {reason}", against, _itk(path, None))
    against = "REFUSES" if truth is None else _compare(image.still().values, truth)
    unit = f", {image.unit}" if image.unit else ""
    shape = " x ".join(map(str, image.values.shape))
    read = f"{shape}, {image.values.dtype}{unit}{', phases' if image.phases else ''}"
    return Row(_name(path), kind, syntax, read, against, _itk(path, image))


def _ours(path: Path) -> tuple[Image | None, str]:
    try:
        return read_dicom(path.read_bytes(), path.name), ""
    except ReadError as problem:
        return None, str(problem).removeprefix(f"{path.name}: ")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix().replace("test_files/", "")


def _head(path: Path) -> tuple[str, str]:
    try:
        dataset = dcmread(path, force=True, stop_before_pixels=True)
        syntax = dataset.file_meta.get("TransferSyntaxUID")
    except Exception:
        return "", ""
    return str(dataset.get("Modality") or ""), SYNTAX.sub("", syntax.name) if syntax else ""


def _compare(values: np.ndarray, truth: np.ndarray) -> str:
    if values.shape != truth.shape:
        return f"SHAPE {truth.shape}"
    apart = float(np.abs(values.astype(np.float64) - truth).max())
    scale = max(1.0, float(np.abs(truth).max()))
    return "equal" if apart <= 1e-6 * scale else f"differs by up to {apart:.3g}"


def _itk(path: Path, image: Image | None) -> str:
    """Compare with SimpleITK: values, then the corner and the directions of the first pixel."""
    try:
        found = SimpleITK.ReadImage(path)
    except RuntimeError:
        return ""
    if image is None:
        return "reads it"
    truth = SimpleITK.GetArrayFromImage(found)
    truth = np.moveaxis(truth, -1, 0) if found.GetNumberOfComponentsPerPixel() > 1 else truth[None]
    values = image.still().values
    values = values[:, None] if values.ndim == 3 else values
    if truth.shape != values.shape:
        return f"shape {truth.shape}"
    apart = float(np.abs(values.astype(np.float64) - truth).max())
    told = "equal" if apart == 0 else "equal but for rounding" if apart <= ROUNDING else "differs"
    return told + _place(found, image)


def _place(found: Any, image: Image) -> str:
    """Compare the affine, where our grid knows it."""
    origin, spacing = image.grid.origin_mm, image.grid.spacing_mm
    if origin is None or spacing is None or image.grid.axes is None:
        return ""
    axes = np.array(found.GetDirection()).reshape(3, 3).T[::-1, ::-1][-len(spacing) :]
    same = np.allclose(found.GetOrigin()[::-1], origin, atol=1e-3)
    same &= np.allclose(found.GetSpacing()[::-1][-len(spacing) :], spacing, rtol=1e-4)
    return ", place equal" if same and np.allclose(axes, image.grid.axes, atol=1e-4) else ", PLACE"


def main() -> None:
    """Write the page."""
    rows = [judge(path) for path in list_files()]
    without = [row for row in rows if NO_PIXELS in row.read]
    images = [row for row in rows if row not in without]
    refused = [row for row in images if row.read.startswith("refused")]
    wrong = [row for row in rows if row.pydicom.isupper() or "differs" in row.pydicom]
    compared = [row for row in images if row.itk]
    apart = [row for row in compared if row.itk not in AGREED]
    out = sys.stdout.write
    out("# Every DICOM file of pydicom's package\n\n")
    out(f"Written by `python bench/dicom_files.py` with pydicom {pydicom.__version__} and ")
    out(f"SimpleITK {SimpleITK.Version.VersionString()}.\n\n")
    out(f"Of {len(rows)} files {len(without)} hold no pixels (plans, structures, reports, ")
    out("waveforms, palettes, directories, headers alone) and are refused with that reason. ")
    out(f"{len(images) - len(refused)} are read, {len(refused)} more are refused, each of which ")
    out(f"pydicom refuses too. Values differ from pydicom's in {len(wrong)}.\n\n")
    out(f"SimpleITK reads {len(compared)} of them. It agrees in {len(compared) - len(apart)} ")
    out(f"(lossy colours within {ROUNDING:g} shades), and wherever a place in the patient is ")
    out("stated, it is the same. The others:\n\n| file | who is right |\n|---|---|\n")
    for row in apart:
        out(f"| `{row.name}` | {_explain(row)} |\n")
    out("\n## All that hold pixels\n\nShapes are channels first, then time, z, y, x.\n\n")
    out("| file | modality | stored as | read | pydicom | SimpleITK |\n|---|---|---|---|---|---|\n")
    for row in images:
        cells = (f"`{row.name}`", row.kind, row.syntax, row.read, row.pydicom, row.itk)
        out(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n")
    out("\n## All that hold none\n\n")
    out(", ".join(f"`{row.name}`" for row in without if "TINY_ALPHA/PT" not in row.name))
    tiny = sum("TINY_ALPHA/PT" in row.name for row in without)
    out(f", and {tiny} headers below `dicomdirtests/TINY_ALPHA`.\n")


def _explain(row: Row) -> str:
    return next((why for name, why in WHY if re.search(name, row.name)), "NOT EXPLAINED")


if __name__ == "__main__":
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    main()
