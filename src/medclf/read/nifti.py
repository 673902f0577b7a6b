"""NIfTI-1 and -2: a volume, its moments or its components, with its place in the patient.

nibabel understands the header; the values are taken from the bytes here. The file's frame has x
to the right and y to the front (RAS); ours has both the other way round (LPS). Where the header
tells two places, sform goes before qform, as in nibabel, and a remark says how far they differ.

Source: NIfTI-1.1 header nifti1.h, NIMH, 2007; NIfTI-2, 2011.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.core.remark import Remark
from medclf.errors import ReadError
from medclf.read.alpha import without_alpha
from medclf.read.archive import read_bytes
from medclf.read.beside import find_beside
from medclf.read.inflate import GZIP, gunzip
from medclf.read.refuse import check_size, one_line
from medclf.read.volume import (
    Bytes,
    make_grid,
    make_image,
    name_phases,
    scale,
    spacing_grid,
    view_values,
)

Header = Any
"""nibabel's headers, which have no types."""

NIFTI_1, NIFTI_2 = (b"n+1\0", b"ni1\0"), (b"n+2\0", b"ni2\0")
"""What stands at byte 344 and at byte 4; with an "i", the pixels stand in an .img file."""

PIXELS = (".img", ".img.gz")
"""Endings of the file of a pair that holds the pixels."""

_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres in the file's unit: unknown, metre, millimetre, micrometre."""

_TIME = {8: "s", 16: "ms", 24: "µs"}
_UNTIMED = (32, 40, 48)
"""Units of an axis that is not of time: Hz, ppm, rad/s."""

_COMPONENTS = (1004, 1005, 1006, 1007, 2003, 2004)
"""Intents of matrices, vectors and colours, whose components some programs put on axis 4."""

_LPS = np.array([-1.0, -1.0, 1.0])
"""RAS to LPS of vectors (x, y, z)."""

_RGB = ("R", "G", "B")

_APART_MM = 0.1
"""How far two places may put a corner apart before it is remarked."""


def read_nifti(raw: bytes, source: Source) -> Image:
    """Read a .nii, an .nii.gz, or the .hdr of a pair.

    Args:
        raw: The file's bytes, gzipped or not.
        source: Where they are from; of a pair, the pixels are in the .img or .img.gz beside.

    Returns:
        Values (C, Z, Y, X); (T, C, Z, Y, X) where there are moments in time, which bear their
        time; one slice has no Z. Whole numbers as stored; float32 where they are fractions or the
        header scales them. Voxels keep the order of the file: directions stand in the grid.
        Origin and directions are `None` where both qform and sform are unset. Lengths in an
        unknown unit are taken as millimetres, as every program of the field does.

    Raises:
        ReadError: not NIfTI, a header without its pixels, cut short, too large, or values that
            are complex or of more axes than that.
    """
    where = str(source)
    whole = gunzip(raw, where) if raw.startswith(GZIP) else raw
    try:
        header = _header(whole, where)
        data = _pixels(whole, header, source)
        values = scale(stored(data, header, where), *_slope(header))
        if _are_components(header, values.shape[1]):
            values = values.reshape(1, -1, *values.shape[2:])
        names = name_phases(len(values), *_step(header))
        image = make_image(values, _grid(header, values.shape[2] == 1, where), names)
        return replace(image, remarks=_remarks(header))
    except ReadError:
        raise
    except Exception as problem:  # nibabel has no closed list of what damaged files raise.
        raise ReadError(f"{where}: no readable NIfTI image: {one_line(problem)}") from problem


def stored(data: Bytes, header: Header, where: str) -> NDArray[Any]:
    """View the pixels as (T, C, Z, Y, X), without copying, or as a copy where they are coloured.

    Args:
        data: The bytes of the pixels, no fewer and no more.
        header: Tells their type and number.
        where: Names the file in messages.
    """
    shape, dtype = header.get_data_shape(), header.get_data_dtype()
    colours = dtype.names or ()
    if dtype.kind not in "iufV" or not 2 <= len(shape) <= 7 or any(n != 1 for n in shape[5:]):
        raise ReadError(f"{where}: values of a kind that is not read: {dtype} {shape}")
    check_size((*shape, len(colours) or 1), where)
    columns = (*shape, 1, 1, 1)[:5]
    if dtype.kind == "V" and (columns[4] > 1 or colours[:3] != _RGB):
        raise ReadError(f"{where}: colours of a kind that is not read: {dtype} {shape}")
    values = view_values(data, dtype, columns[::-1], where).swapaxes(0, 1)
    if not colours:
        return values
    layers = np.stack([values[:, 0][name] for name in colours])
    layers = layers if len(colours) == len(_RGB) else without_alpha(layers, where)
    return layers.swapaxes(0, 1)


def _header(raw: bytes | bytearray, where: str) -> Header:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    second = raw[4:8] in NIFTI_2
    magic = raw[4:8] if second else raw[344:348]
    if magic not in NIFTI_1 + NIFTI_2:
        raise ReadError(f"{where}: a NIfTI header wanted, found {bytes(raw[:8])!r}")
    kind: Any = Nifti2Header if second else Nifti1Header
    header = kind(bytes(raw[: kind.sizeof_hdr]), check=False)
    if header["pixdim"][0] == 0:  # "Should not happen", says the standard: take it as 1.
        header["pixdim"][0] = 1
    return header


def _pixels(raw: bytes | bytearray, header: Header, source: Source) -> Bytes:
    """Find the bytes of the pixels: behind the header, or in the other file of a pair."""
    offset = int(header.get_data_offset())
    first = len(header.binaryblock)
    if bytes(header["magic"]).startswith(b"ni"):
        raw, first = read_bytes(find_beside(source, *PIXELS)), 0
        raw = gunzip(raw, str(source)) if raw.startswith(GZIP) else raw
    if offset < first:
        raise ReadError(f"{source}: pixels behind byte {first} wanted, found them at {offset}")
    return memoryview(raw)[offset:]


def _slope(header: Header) -> tuple[float, float]:
    slope, start = header.get_slope_inter()
    return (1.0, 0.0) if slope is None else (float(slope), float(start or 0))


def _are_components(header: Header, fifth: int) -> bool:
    """Tell whether the fourth axis is none of time.

    Its unit says so, or the intent of the file where there are no components on the fifth.
    """
    untimed = int(header["xyzt_units"]) & 0x38 in _UNTIMED
    return untimed or (fifth == 1 and int(header["intent_code"]) in _COMPONENTS)


def _step(header: Header) -> tuple[float, str]:
    """Tell the time from a moment to the next, and its unit or ""."""
    return float(header["pixdim"][4]), _TIME.get(int(header["xyzt_units"]) & 0x38, "")


def _grid(header: Header, flat: bool, where: str) -> Grid:
    """Turn the affine of (i, j, k) to RAS into a grid."""
    unit = _MM[int(header["xyzt_units"]) & 7]
    if not (header["qform_code"] > 0 or header["sform_code"] > 0):
        sizes = np.abs(header["pixdim"][1 : len(header.get_data_shape()) + 1][:3]) * unit
        return spacing_grid(tuple(sizes.tolist()), flat=flat)
    affine = np.array(header.get_best_affine(), np.float64)[:3] * unit
    return make_grid(affine[:, :3].T * _LPS, affine[:, 3] * _LPS, where, flat=flat)


def _remarks(header: Header) -> tuple[Remark, ...]:
    """Say how far apart sform and qform put a corner, where both are told and differ."""
    if not (header["qform_code"] > 0 and header["sform_code"] > 0):
        return ()
    ends = np.array([*header.get_data_shape(), 1, 1])[:3] - 1
    corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)])
    corners[:, :3] *= ends
    apart = (corners @ (header.get_sform() - header.get_qform()).T)[:, :3]
    farthest = float(np.linalg.norm(apart, axis=1).max()) * _MM[int(header["xyzt_units"]) & 7]
    if farthest <= _APART_MM:
        return ()
    message = f"sform and qform place a corner {farthest:.3g} mm apart; sform was taken"
    return (Remark("place", message, grave=True),)
