"""Values in the meaning that is wanted: uptake of a PET, or shades as a file shows them.

Both are stated by the file, or not at all: what is not stated is refused, never guessed.

Source: DICOM PS3.3, C.8.9.1 (PET) and C.11.2 (VOI LUT).
"""

from dataclasses import replace

import numpy as np

from medclf.core.image import Image
from medclf.errors import ReadError


def as_suv(image: Image, where: str) -> Image:
    """Turn the values of a PET into standardised uptake values by body weight, unit "SUV".

    Raises:
        ReadError: it is no PET, or its file does not state what is needed.
    """
    if not isinstance(image.suv, float):
        reason = image.suv or f"a PET wanted, found {image.modality or 'no modality'}"
        raise ReadError(f"{where}: no SUV can be had: {reason}")
    values = image.values.astype(np.float32) * np.float32(image.suv)
    return replace(image, values=values, unit="SUV", suv=1.0, display=None)


def as_shown(image: Image, where: str) -> Image:
    """Turn values into the shades, 0 to 1, of the window or the table that the file states.

    Raises:
        ReadError: it states none.
    """
    if image.display is None:
        raise ReadError(f'{where}: intensity "voi" wants a file that states a window: none found')
    return replace(image, values=image.display.shade(image.values), unit="", display=None)
