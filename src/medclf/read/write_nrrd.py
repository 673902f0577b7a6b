"""An image becomes an NRRD, its data behind the fields, packed by gzip.

Source: Teem, Definition of NRRD File Format, sections 4 to 6.
"""

import gzip
import sys
from collections.abc import Iterable

import numpy as np

from medclf.core.image import Image
from medclf.read.layout import Layout, lay_out
from medclf.read.nrrd_data import NAMES


def write_nrrd(image: Image) -> bytes:
    """Write channels as the fastest axis, and moments as the slowest."""
    laid = lay_out(image)
    values = np.moveaxis(laid.values, 1, -1)
    sizes = [*laid.sizes]
    kinds = ["domain"] * laid.axes
    if image.channels > 1:
        sizes, kinds = [image.channels, *sizes], ["vector", *kinds]
    if image.phases:
        sizes, kinds = [*sizes, len(values)], [*kinds, "time"]
    fields = {
        "type": NAMES[values.dtype.str[1:]].split(";")[0],
        "dimension": str(len(sizes)),
        **_place(laid, kinds),
        "sizes": " ".join(str(size) for size in sizes),
        "kinds": " ".join(kinds),
        "endian": sys.byteorder,
        "encoding": "gzip",
    }
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    packed = gzip.compress(np.ascontiguousarray(values).tobytes(), 6, mtime=0)
    return f"NRRD0005\n{text}\n".encode() + packed


def _place(laid: Layout, kinds: list[str]) -> dict[str, str]:
    """Tell the place, or the spacing alone, of the axes of space; others have none."""
    if laid.vectors_mm is not None and laid.origin_mm is not None:
        steps = iter(laid.vectors_mm)
        told = [_vector(next(steps)) if kind == "domain" else "none" for kind in kinds]
        return {
            "space": "left-posterior-superior",
            "space directions": " ".join(told),
            "space origin": _vector(laid.origin_mm),
        }
    if laid.spacing_mm is None:
        return {}
    lengths = iter(laid.spacing_mm)
    told = [repr(float(next(lengths))) if kind == "domain" else "nan" for kind in kinds]
    return {"spacings": " ".join(told)}


def _vector(values: Iterable[float]) -> str:
    return f"({','.join(repr(float(value)) for value in values)})"
