"""Patches in reading order: an image parted on an even grid, for a sequence or a bag.

Source: Gao, Lin, Wong. Automatic Feature Learning to Grade Nuclear Cataracts Based on Deep
Learning. IEEE Transactions on Biomedical Engineering, 2015.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from medclf.errors import SettingError


def grid_patches(batch: Tensor, size: Sequence[int], counts: Sequence[int] = ()) -> Tensor:
    """Part images into patches, left to right, then down, then from slice to slice.

    Args:
        batch: Images or volumes.
        size: Edges of a patch in samples, z first.
        counts: Patches along each axis, z first, spread evenly from border to border; a single
            one lies in the middle. If empty, as many as cover the image.

    Shape:
        (B, C, *space) -> (B, V, C, *size), V the product of the counts

    Raises:
        SettingError: a patch is larger than the image, or edges or counts are not one from 1 up
            for each axis.

    Example:
        >>> grid_patches(torch.rand(2, 3, 64, 96), (32, 32)).shape
        torch.Size([2, 6, 3, 32, 32])
    """
    space = batch.shape[2:]
    dims = len(space)
    if len(size) != dims or any(not 0 < a <= b for a, b in zip(size, space, strict=True)):
        raise SettingError(f"patches no larger than {tuple(space)} wanted, found {tuple(size)}")
    counts = counts or [math.ceil(b / a) for a, b in zip(size, space, strict=True)]
    if len(counts) != dims or min(counts) < 1:
        raise SettingError(f"{dims} counts of patches from 1 up wanted, found {tuple(counts)}")
    for axis in range(dims):
        # Each axis becomes two: which patch, and which sample of it.
        place = 2 + 2 * axis
        starts = _spread(space[axis] - size[axis], counts[axis])
        chosen = starts[:, None] + torch.arange(size[axis])
        part = batch.index_select(place, chosen.flatten().to(batch.device))
        batch = torch.unflatten(part, place, chosen.shape)
    which = range(2, 2 + 2 * dims, 2)
    order = (0, *which, 1, *(place + 1 for place in which))
    return batch.permute(order).flatten(1, dims)


def _spread(rest: int, count: int) -> Tensor:
    """Place starts evenly from 0 to `rest`, or a single one in the middle."""
    places = torch.linspace(0, rest, count) if count > 1 else torch.tensor([rest / 2])
    return places.round().long()
