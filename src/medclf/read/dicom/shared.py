"""What the files of one series state alike, and so holds for the volume that they make.

Scanners give each slice a window of its own, in which no volume can be shown; and a factor to SUV
that differs between slices would make steps in the values.

Source: DICOM PS3.3, C.11.2 (VOI LUT) and C.8.9.1 (PET series).
"""

from collections.abc import Sequence
from dataclasses import replace
from math import isclose
from typing import TYPE_CHECKING

from medclf.core.image import Image
from medclf.read.dicom.suv import tell_suv

if TYPE_CHECKING:
    from pydicom import Dataset

_WINDOW = ("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence")


def keep_shared(image: Image, datasets: "Sequence[Dataset]") -> Image:
    """Keep of an image of several files the window and the factor to SUV that all of them state.

    Args:
        image: Made of all files, with the window and the factor of the first.
        datasets: Their headers.

    Returns:
        `display` is `None` where windows differ; `suv` says so where factors differ, or why one of
        them is not known.
    """
    display = image.display
    if display is not None and any(_window(some) != _window(datasets[0]) for some in datasets):
        display = None
    return replace(image, display=display, suv=_suv(datasets) if image.suv else "")


def _window(dataset: "Dataset") -> tuple[object, ...]:
    return tuple(dataset.get(name) for name in _WINDOW)


def _suv(datasets: "Sequence[Dataset]") -> float | str:
    found = [tell_suv(dataset) for dataset in datasets]
    unknown = next((told for told in found if isinstance(told, str)), None)
    if unknown is not None:
        return unknown
    factors = [factor for factor in found if isinstance(factor, float)]
    if not all(isclose(factor, factors[0], rel_tol=1e-4) for factor in factors):
        return f"the slices have factors from {min(factors):.4g} to {max(factors):.4g}"
    return factors[0]
