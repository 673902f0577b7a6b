"""An image becomes a MetaImage: an .mha, its data behind the tags, packed by zlib.

Source: the MetaIO tag reference of the Insight Toolkit.
"""

import sys
import zlib
from collections.abc import Iterable

import numpy as np

from medclf.core.image import Image
from medclf.read.layout import lay_out
from medclf.read.metaimage import MODALITIES, TYPES


def write_metaimage(image: Image) -> bytes:
    """Write channels as the fastest axis of the data, and moments as the fourth axis."""
    laid = lay_out(image)
    timed = bool(image.phases)
    axes = 4 if timed else laid.axes
    packed = zlib.compress(np.ascontiguousarray(np.moveaxis(laid.values, 1, -1)).tobytes())
    sizes = [*laid.values.shape[:1:-1], len(laid.values)][:axes]
    tags = {
        "ObjectType": "Image",
        "NDims": axes,
        "BinaryData": True,
        "BinaryDataByteOrderMSB": sys.byteorder == "big",
        "CompressedData": True,
        "CompressedDataSize": len(packed),
    }
    if laid.vectors_mm is not None and laid.origin_mm is not None:
        matrix = np.eye(axes)
        matrix[:3, :3] = laid.vectors_mm / np.linalg.norm(laid.vectors_mm, axis=1)[:, None]
        tags["TransformMatrix"] = _numbers(matrix.ravel())
        tags["Offset"] = _numbers([*laid.origin_mm, 0.0][:axes])
    if laid.spacing_mm is not None:
        tags["ElementSpacing"] = _numbers([*laid.spacing_mm, 1.0, 1.0][:axes])
    tags["DimSize"] = " ".join(str(size) for size in sizes)
    codes = {code: name for name, code in MODALITIES.items()}
    if image.modality in codes:
        tags["Modality"] = codes[image.modality]
    if image.channels > 1:
        tags["ElementNumberOfChannels"] = image.channels
    types = {code: name for name, code in reversed(TYPES.items())}
    tags["ElementType"] = types[laid.values.dtype.str[1:]]
    tags["ElementDataFile"] = "LOCAL"
    return "".join(f"{name} = {value}\n" for name, value in tags.items()).encode() + packed


def _numbers(values: Iterable[float]) -> str:
    return " ".join(repr(float(value)) for value in values)
