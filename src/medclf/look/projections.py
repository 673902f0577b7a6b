"""Projections: a volume flattened along each of its axes, so that 2D networks see all of it.

The maximum shows what is bright wherever it lies, as vessels and nodules in air; the mean is an
X-ray of the volume.

Source: Wallis, Miller, Lerner, Kleerup. Three-dimensional Display in Nuclear Medicine. IEEE
Transactions on Medical Imaging, 1989 (maximum intensity projection).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from medclf.errors import SettingError
from medclf.look.resize import resize

KINDS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "maximum": lambda volumes, axis: volumes.amax(axis),
    "mean": lambda volumes, axis: volumes.float().mean(axis),
}


def projections(
    volumes: Tensor, size: Sequence[int], kinds: Sequence[str] = ("maximum", "mean")
) -> Tensor:
    """Flatten each volume along z, along y and along x.

    Args:
        volumes: Prepared volumes.
        size: Edges of every projection, which is resized where the volume has others.
        kinds: Of `KINDS`; each gives further channels.

    Shape:
        (B, C, Z, Y, X) -> (B, 3, len(kinds) C, *size), float32; `flatten(1, 2)` makes channels of
        the three views

    Raises:
        SettingError: the images have no three axes, or a kind is unknown.

    Example:
        >>> projections(torch.rand(2, 1, 20, 30, 30), (30, 30)).shape
        torch.Size([2, 3, 2, 30, 30])
    """
    if volumes.ndim != 5:
        raise SettingError(f"projections want (B, C, Z, Y, X), found shape {tuple(volumes.shape)}")
    if not kinds or not set(kinds) <= set(KINDS):
        raise SettingError(f"kinds of projection among {', '.join(KINDS)} wanted, found {kinds}")
    flat = [[KINDS[kind](volumes, axis) for kind in kinds] for axis in (2, 3, 4)]
    return torch.stack([resize(torch.cat(each, 1), size) for each in flat], dim=1)
