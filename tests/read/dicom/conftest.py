"""Headers of slices as they come from parsed files, made up without files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medclf.core.record import Source
from medclf.read.dicom.header import Form, Header

AXIAL = np.eye(3)[1:]


@pytest.fixture
def make_header() -> Callable[..., Header]:
    """Make the header of an axial slice of 20 x 24 pixels at a height in mm, with marks by name."""

    def make(height: float | None, name: str = "", axes: np.ndarray = AXIAL, **stated) -> Header:
        form = Form("1.2", "MR", "1.4", "1.3", 20, 24, 1, "MONOCHROME2", False)
        fields = {key: stated.pop(key) for key in Form._fields if key in stated}
        known = {
            "instance": "",
            "frames": 1,
            "place": None if height is None else np.array([height, -8.0, -9.0]),
            "axes": axes,
            "spacing_mm": (0.8, 0.7),
            "thickness_mm": 2.5,
            "concatenation": "",
        }
        known |= {key: stated.pop(key) for key in tuple(known) if key in stated}
        source = Source(Path(name or f"{height}.dcm"))
        return Header(source, form._replace(**fields), mark=stated.get, **known)

    return make
