"""Analyze 7.5, a pair of .hdr and .img: the form before NIfTI.

It has no agreed frame: programs differed in whether x runs to the left or to the right. So the
spacing is taken and no place. SPM's factor of the values, in a field that was unused, is applied.

Source: Mayo Clinic, Analyze 7.5 File Format; SPM99, spm_vol_ana.m, for the factor.
"""

from typing import Any

import numpy as np

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.archive import read_bytes
from medclf.read.beside import find_beside
from medclf.read.inflate import GZIP, gunzip
from medclf.read.nifti import PIXELS, stored
from medclf.read.refuse import one_line
from medclf.read.volume import make_image, name_phases, scale, spacing_grid

SIGNATURES = ((348).to_bytes(4, "little"), (348).to_bytes(4, "big"))
"""The size of the header, with which it begins."""

_COLOURED = 128


def read_analyze(raw: bytes, source: Source) -> Image:
    """Read the .hdr of a pair, and its pixels from the .img or .img.gz beside.

    Args:
        raw: The bytes of the .hdr.
        source: Where they are from.

    Returns:
        Values (C, Z, Y, X); (T, C, Z, Y, X) with numbered phases where there are moments; one
        slice has no Z. Numbers as stored, fractions and scaled values as float32. Spacing in mm,
        no origin and no directions.

    Raises:
        ReadError: a file is absent, cut short or longer than its header says, or values are
            complex, coloured or of single bits.
    """
    from nibabel.spm99analyze import Spm99AnalyzeHeader

    where = str(source)
    kind: Any = Spm99AnalyzeHeader
    try:
        header = kind(raw[: kind.sizeof_hdr], check=False)
        if header["datatype"] == _COLOURED:
            raise ReadError(f"{where}: colours whose order is not known: Analyze states none")
        data = read_bytes(find_beside(source, *PIXELS))
        whole = memoryview(gunzip(data, where) if data.startswith(GZIP) else data)
        values = stored(whole[max(0, int(header["vox_offset"])) :], header, where)
        slope = float(header["scl_slope"])
        values = scale(values, slope if slope and np.isfinite(slope) else 1, 0)
        sizes = np.abs(header["pixdim"][1:4]).tolist()
        grid = spacing_grid(tuple(sizes), flat=values.shape[2] == 1)
        return make_image(values, grid, name_phases(len(values)))
    except ReadError:
        raise
    except Exception as problem:  # nibabel has no closed list of what damaged files raise.
        raise ReadError(f"{where}: no readable Analyze image: {one_line(problem)}") from problem
