"""The slow change of brightness across an MR image, found by N4 and taken away.

The coil nearer to one side makes it brighter; N4 looks for the smooth field by which the
histogram becomes sharpest. The field is found in a copy of the image that is thinned out, and
worked out for all its samples, so that detail stays as it is.

Source: Tustison et al. N4ITK: Improved N3 bias correction. IEEE Transactions on Medical Imaging
29, 2010; here SimpleITK's N4BiasFieldCorrectionImageFilter.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.errors import ReadError, SettingError
from medclf.prepare.body import otsu

FOUND_IN = 32
"""Samples along an axis of the thinned copy at most."""

STEPS = (50, 50, 30)
"""Iterations at each of the levels, coarse to fine."""

FEWEST = 4
"""Samples along each axis that a field can be fitted to."""


def correct_bias(image: Image, where: str) -> Image:
    """Divide an image by its bias field.

    Args:
        image: Still, of one channel or several; each has a field of its own.
        where: Names the file in messages.

    Returns:
        The image, float32, with its mean as before.

    Raises:
        ReadError: the image is not MR, as far as the file says, or is too small for a field.
        SettingError: SimpleITK is not installed.
    """
    if image.modality not in ("MR", ""):
        raise ReadError(f"{where}: an MR image wanted to correct its bias, found {image.modality}")
    if min(image.space) < FEWEST:
        raise ReadError(f"{where}: {FEWEST} samples along each axis wanted, found {image.space}")
    values = np.stack([_correct(channel.astype(np.float32)) for channel in image.values])
    return replace(image, values=values, bits=32)


def find_field(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Find the bias field of one channel: (*space) -> (*space), with a mean of 1 over tissue.

    Raises:
        SettingError: SimpleITK is not installed.
    """
    sitk = _simpleitk()
    front = values > otsu(values)
    if values.min() == values.max() or not front.any():
        return np.ones_like(values)
    steps = tuple(max(1, min(-(-n // FOUND_IN), n // FEWEST)) for n in values.shape)
    thin = tuple(slice(None, None, step) for step in steps)
    # N4 takes logarithms, for which values must be above 0.
    lifted = values[thin] - min(0.0, float(values.min())) + 1
    small, mask = (
        sitk.GetImageFromArray(lifted),
        sitk.GetImageFromArray(front[thin].astype(np.uint8)),
    )
    for part in (small, mask):
        part.SetSpacing([float(step) for step in steps[::-1]])
    finder = sitk.N4BiasFieldCorrectionImageFilter()
    finder.SetMaximumNumberOfIterations(STEPS)
    finder.SetNumberOfThreads(1)  # Images are prepared side by side.
    finder.Execute(small, mask)
    whole = sitk.Image([int(n) for n in values.shape[::-1]], sitk.sitkFloat32)
    field = np.exp(sitk.GetArrayFromImage(finder.GetLogBiasFieldAsImage(whole)))
    return np.asarray(field / field[front].mean(), np.float32)


def _correct(values: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = values / find_field(values)
    before, after = (float(part.sum(dtype=np.float64)) for part in (values, flat))
    return flat * np.float32(before / after) if before > 0 and after > 0 else flat


def _simpleitk() -> Any:
    try:
        import SimpleITK
    except ImportError as problem:
        raise SettingError(
            'prepare.bias = "n4" needs SimpleITK, which is not installed: '
            "pip install '.[mr]' in the clone of medclf"
        ) from problem
    return SimpleITK
