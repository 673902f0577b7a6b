"""Resizing without aliasing: every wanted sample is a weighted mean of the samples it covers.

The weights fall off as a triangle as wide as the wanted samples lie apart, and never narrower
than the found ones do: shrinking averages, growing interpolates linearly. Each axis is one matrix
product, so 2D and 3D are one definition and a crop may end between two samples.

Source: Turkowski. Filters for Common Resampling Tasks. Graphics Gems, 1990; the same filter is
Pillow's `BILINEAR`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from medclf.errors import SettingError


def resize(batch: Tensor, size: Sequence[int], share: float = 1.0) -> Tensor:
    """Resample images, or only their middle, to other edges.

    Args:
        batch: Images or volumes.
        size: Edges in samples, z first.
        share: Share of each edge that is seen, about the middle.

    Shape:
        (B, C, *space) -> (B, C, *size), float32

    Raises:
        SettingError: `size` has not as many edges as the images axes, or is empty, or `share` is
            not in (0, 1].
    """
    if len(size) != batch.ndim - 2 or min(size) < 1:
        raise SettingError(f"{batch.ndim - 2} edges from 1 up wanted, found {tuple(size)}")
    if not 0 < share <= 1:
        raise SettingError(f"a share of the edge must be in (0, 1], not {share:g}")
    for axis, samples in enumerate(size, start=2):
        edge = batch.shape[axis]
        if samples != edge or share < 1:
            weights, start = _weights(edge, samples, share)
            part = batch.narrow(axis, start, weights.shape[1])
            batch = _along(part.float(), weights.to(batch.device), axis)
    return batch.float()


def _along(batch: Tensor, weights: Tensor, axis: int) -> Tensor:
    """Multiply one axis with (samples, edge) weights."""
    if axis == batch.ndim - 1:
        return batch @ weights.T
    return torch.unflatten(weights @ batch.flatten(axis + 1), -1, batch.shape[axis + 1 :])


def _weights(edge: int, samples: int, share: float) -> tuple[Tensor, int]:
    """Weigh the found samples (columns) for each wanted one (rows); tell the first that counts."""
    apart = edge * share / samples
    reach = max(apart, 1.0)
    middle = (edge - 1) / 2 + (torch.arange(samples) - (samples - 1) / 2) * apart
    start = max(0, int(middle[0] - reach) + 1)
    stop = min(edge, int(middle[-1] + reach) + 1)
    distance = (torch.arange(start, stop) - middle[:, None]).abs()
    weights = (1 - distance / reach).clamp_min(0)
    return weights / weights.sum(1, keepdim=True), start
