"""NIfTI-1 and -2: one volume, or several as channels, with its place in the patient.

nibabel understands the header; the values are taken from the bytes here. In the file x runs
fastest, so that the same bytes seen as an array of (z, y, x) need no copying. The file's frame
has x to the right and y to the front (RAS); ours has both the other way round (LPS).

Source: NIfTI-1.1 header nifti1.h, NIMH, 2007; NIfTI-2, 2011.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.read.inflate import GZIP, gunzip
from medclf.read.refuse import check_size, one_line
from medclf.read.values import settle

Header = Any
"""nibabel's Nifti1Header or Nifti2Header, which have no types."""

_FIRST, _SECOND = (b"n+1\0", b"ni1\0"), (b"n+2\0", b"ni2\0")

_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres in the file's unit: unknown, metre, millimetre, micrometre."""

_LPS = np.diag([1.0, -1.0, -1.0])
"""RAS to LPS of vectors in the order (z, y, x)."""


def read_nifti(raw: bytes, where: str) -> Image:
    """Read a .nii or .nii.gz.

    Args:
        raw: The file's bytes, gzipped or not.
        where: Names the file in messages.

    Returns:
        Values (C, Z, Y, X), C counting volumes of time or components; (C, Y, X) where there is
        one slice. Whole numbers as stored; float32 where they are fractions or the header scales
        them. Voxels keep the order of the file: directions stand in the grid. Origin and
        directions are `None` where both qform and sform are unset. Lengths in an unknown unit are
        taken as millimetres, as every program of the field does.

    Raises:
        ReadError: not NIfTI, a header without its pixels, cut short, too large, or values that
            are complex or of more axes than that.
    """
    raw = bytes(gunzip(raw, where)) if raw.startswith(GZIP) else raw
    try:
        header = _header(raw, where)
        values = _scaled(_stored(raw, header, where), header)
        flat = values.shape[1] == 1
        grid = _grid(header, flat, where)
    except ReadError:
        raise
    except Exception as problem:  # nibabel has no closed list of what damaged files raise.
        raise ReadError(f"{where}: no readable NIfTI image: {one_line(problem)}") from problem
    values = settle(values[:, 0] if flat else values)
    return Image(values, grid, bits=8 * values.dtype.itemsize)


def _header(raw: bytes, where: str) -> Header:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    second = raw[4:8] in _SECOND
    magic = raw[4:8] if second else raw[344:348]
    if magic not in _FIRST + _SECOND:
        raise ReadError(f"{where}: a NIfTI header wanted, found {raw[:8]!r}")
    if magic.startswith(b"ni"):
        raise ReadError(f"{where}: a header alone: its pixels stand in an .img file beside it")
    kind: Any = Nifti2Header if second else Nifti1Header
    return kind(raw[: kind.sizeof_hdr], check=False)


def _stored(raw: bytes, header: Header, where: str) -> NDArray[Any]:
    """View the stored values as (C, Z, Y, X) without copying."""
    shape, dtype = header.get_data_shape(), header.get_data_dtype()
    if dtype.kind not in "iufV" or not 2 <= len(shape) <= 5:
        raise ReadError(f"{where}: values of a kind that is not read: {dtype} {shape}")
    check_size(shape, where)
    offset, count = int(header.get_data_offset()), prod(shape)
    if offset < len(header.binaryblock) or offset + count * dtype.itemsize > len(raw):
        found, wanted = max(0, len(raw) - offset), count * dtype.itemsize
        raise ReadError(f"{where}: cut short: {wanted} bytes of pixels wanted, found {found}")
    columns = (*shape, 1, 1, 1)[:5]
    if min(columns[3:]) > 1:
        raise ReadError(f"{where}: volumes along one axis wanted, found {shape}")
    values = np.frombuffer(raw, dtype, count, offset)
    values = values.reshape(-1, *columns[2::-1])
    if dtype.names is None:
        return values
    if len(values) != 1 or dtype.names != ("R", "G", "B"):
        raise ReadError(f"{where}: one RGB volume wanted, found {len(values)} of {dtype.names}")
    return np.stack([values[0][name] for name in dtype.names])


def _scaled(values: NDArray[Any], header: Header) -> NDArray[Any]:
    slope, start = header.get_slope_inter()
    if slope is None or (slope, start) == (1, 0):
        return values
    scaled = values.astype(np.float32)
    scaled *= np.float32(slope)
    scaled += np.float32(start or 0)
    return scaled


def _grid(header: Header, flat: bool, where: str) -> Grid:
    """Turn the affine of (i, j, k) to RAS into rows of (z, y, x) to LPS."""
    unit = _MM[int(header["xyzt_units"]) & 7]
    sizes = np.abs([*header.get_zooms(), 1.0][:3]) * unit
    keep = slice(1, None) if flat else slice(None)
    if not (header["qform_code"] > 0 or header["sform_code"] > 0):
        spacing = tuple(sizes[::-1][keep].tolist())
        return Grid(spacing if min(spacing) > 0 else None)
    affine = np.array(header.get_best_affine(), np.float64) * unit
    if not np.isfinite(affine[:3]).all():
        raise ReadError(f"{where}: the place in the patient is not a number: {affine[:3].tolist()}")
    rows = affine[:3, :3].T[::-1, ::-1] @ _LPS
    rows = rows[keep]
    lengths = np.linalg.norm(rows, axis=1)
    if lengths.min() == 0:
        raise ReadError(f"{where}: the place in the patient is flat: {affine[:3].tolist()}")
    origin = tuple((affine[2::-1, 3] @ _LPS).tolist())
    return Grid(tuple(lengths.tolist()), origin, rows / lengths[:, None])
