"""Copies of an exam for use: shifted a little, and mirrored where training mirrored it.

A network's answer hangs a little on where the exam happens to lie. The mean over copies is
steadier, and their spread is a warning.

Source: Krizhevsky, Sutskever, Hinton. ImageNet Classification with Deep Convolutional Neural
Networks. NeurIPS 2012, section 4.1.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad


def shifted_copies(batch: Tensor, share: float, mirror: tuple[int, ...] = ()) -> Tensor:
    """Stack each exam with its copies shifted forth and back along every axis of space.

    Args:
        batch: Prepared exams.
        share: Shift as a share of the edge, rounded to samples; 0 makes no shifted copy.
        mirror: Axes of space, z first; the copies stand a second time mirrored along the last.

    Shape:
        (B, C, *space) -> (B, V, C, *space), V = 1 + 2 dims, doubled where mirrored

    Example:
        >>> shifted_copies(torch.zeros(2, 1, 28, 28), 0.04).shape
        torch.Size([2, 5, 1, 28, 28])
    """
    found = [batch]
    for axis in range(2, batch.ndim) if share else ():
        samples = max(1, round(share * batch.shape[axis]))
        found += [_shift(batch, axis, samples), _shift(batch, axis, -samples)]
    if mirror:
        found += [copy.flip(2 + mirror[-1]) for copy in found]
    return torch.stack(found, dim=1)


def _shift(batch: Tensor, axis: int, samples: int) -> Tensor:
    """Move all samples along an axis; the border's samples fill the gap."""
    gaps = [0, 0] * (batch.ndim - 2)
    last_first = 2 * (batch.ndim - 1 - axis)
    gaps[last_first : last_first + 2] = max(samples, 0), max(-samples, 0)
    wide = pad(batch, gaps, mode="replicate")
    return wide.narrow(axis, max(-samples, 0), batch.shape[axis])
