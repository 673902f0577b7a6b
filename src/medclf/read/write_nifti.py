"""An image becomes a NIfTI-1 file, or a NIfTI-2 where an axis is too long for the first.

Source: NIfTI-1.1 header nifti1.h, NIMH, 2007; NIfTI-2, 2011.
"""

from typing import Any

import numpy as np

from medclf.core.image import Image
from medclf.read.layout import lay_out

LONGEST = 32767
"""The most samples along an axis of NIfTI-1."""

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_VECTOR = "vector"


def write_nifti(image: Image) -> bytes:
    """Write moments on the fourth axis, channels as vectors on the fifth, the place as sform."""
    from nibabel.nifti1 import Nifti1Image
    from nibabel.nifti2 import Nifti2Image

    laid = lay_out(image)
    values = laid.values.transpose(4, 3, 2, 0, 1)
    if image.channels == 1:
        values = values[..., 0] if image.phases else values[..., 0, 0]
    if values.ndim == 3 and laid.axes == 2:
        values = values[..., 0]
    kind: Any = Nifti1Image if max(values.shape) <= LONGEST else Nifti2Image
    affine = None
    if laid.vectors_mm is not None and laid.origin_mm is not None:
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = laid.vectors_mm.T, laid.origin_mm
        affine = _LPS @ affine
    made = kind(values, affine, dtype=values.dtype)
    header = made.header
    if affine is None:
        header["pixdim"][1:4] = 0 if laid.spacing_mm is None else [*laid.spacing_mm, 1][:3]
    if image.channels > 1:
        header.set_intent(_VECTOR)
    header.set_xyzt_units("mm")
    return bytes(made.to_bytes())
