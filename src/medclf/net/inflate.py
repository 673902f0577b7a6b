"""Weights of pictures in other networks: volumes, other channels, and smaller first kernels.

Inflation repeats a kernel along z and divides it by its depth, so a volume that repeats one picture
gives what the picture gives. That holds for all cells that see only the volume: nearer to its first
and last plane the zeros beyond weaken the answer, as they do at the edges of a picture. ACS
convolutions take the weights of pictures as they are.

Every change here keeps the answer to a constant image.

Source: Carreira, Zisserman. Quo Vadis, Action Recognition? CVPR 2017, section 2.3 (inflation).
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def inflate(kernel: Tensor, depth: int) -> Tensor:
    """Repeat a 2D kernel along z: (there, here, Y, X) -> (there, here, depth, Y, X)."""
    return kernel.unsqueeze(2).expand(-1, -1, depth, -1, -1) / depth


def spread_channels(kernel: Tensor, channels: int) -> Tensor:
    """Let a kernel for some channels see others: each gets an equal share of their sum.

    A single channel, grey, so gets the sum over red, green and blue, which is exact for a grey
    picture. Other channels are alike at first; they part as the network learns.

    Example:
        >>> spread_channels(torch.tensor([[[[1.0]], [[2.0]], [[6.0]]]]), 2).flatten().tolist()
        [4.5, 4.5]
    """
    if kernel.shape[1] == channels:
        return kernel
    each = kernel.sum(1, keepdim=True) / channels
    return each.expand(-1, channels, -1, -1)


def resample(kernel: Tensor, edges: Sequence[int]) -> Tensor:
    """Make a kernel smaller by area: every new cell sums what of the old ones lies within it.

    The 3 x 3 kernel so made from 7 x 7 says of an image what the 7 x 7 says of the image enlarged
    7 / 3 times. That is what a first convolution whose stride of 2 was dropped should see: its
    image is as much smaller. (The middle of the kernel would be the edge filter's middle only, and
    its sum could not be kept.)

    Example:
        >>> resample(torch.ones(1, 1, 4, 4), (2, 2)).flatten().tolist()
        [4.0, 4.0, 4.0, 4.0]
    """
    rows, columns = (
        _overlap(old, new).to(kernel) for old, new in zip(kernel.shape[-2:], edges, strict=True)
    )
    return rows @ kernel @ columns.T


def _overlap(old: int, new: int) -> Tensor:
    """Tell which share of each old cell lies in each new one: (new, old), its columns sum to 1."""
    first = torch.arange(new)[:, None] * (old / new)
    start = torch.arange(old)[None]
    end = torch.minimum(first + old / new, start + 1.0)
    return (end - torch.maximum(first, start.float())).clamp_min(0)
