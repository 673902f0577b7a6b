"""The digest of an image's pixels: equal where they are, whatever file holds them."""

import hashlib

import numpy as np
from numpy.typing import NDArray


def digest_pixels(values: NDArray[np.generic]) -> str:
    """Digest the pixels alone: file, compression, type of number and headers have no say.

    Fractions that all are whole are digested as whole numbers: so a CT in Hounsfield units has one
    digest, whether its format stores these or a rescale gives them.

    A grey image that is stored in colours has the digest of the grey one.

    Args:
        values: (C, *space).

    Example:
        >>> grey = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
        >>> digest_pixels(grey) == digest_pixels(grey.repeat(3, axis=0).astype(np.int16))
        True
    """
    if len(values) > 1 and all(np.array_equal(values[0], other) for other in values[1:]):
        values = values[:1]
    if values.dtype.kind == "f" and _whole(values):
        values = values.astype(np.int32)
    if values.dtype.kind in "iu":
        least, most = (np.min_scalar_type(int(v)) for v in (values.min(), values.max()))
        values = values.astype(np.promote_types(least, most), copy=False)
    else:
        values = np.add(values, 0, dtype=np.float32, casting="unsafe")  # -0 becomes 0
    digest = hashlib.blake2b(f"{values.dtype.str} {values.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _whole(values: NDArray[np.generic]) -> bool:
    """Tell whether all values are whole numbers that 32 bits hold."""
    least, most = float(values.min()), float(values.max())
    return least >= -(2**31) and most < 2**31 and bool((np.rint(values) == values).all())
