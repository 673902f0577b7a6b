"""Convolutions that stay right where the map is shorter than the kernel.

On processors with AVX-512, oneDNN leaves part of the weights' gradient unwritten, or writes past
its end, for bfloat16 convolutions whose padding takes in more than the map: one sample under
3 x 3 of stride 2, two planes under 3 x 3 x 3. Thick-slice volumes and deep networks meet such maps.
There the zeros are laid out in the input instead, which is exact, and cheap as the map is tiny.

Depthwise volumes take two to six times as long in bfloat16 as in single precision, channels last:
there they are computed in the latter.

On a single thread PyTorch computes 1 x 1 x 1 convolutions of small batches up to ten times slower
than the product of matrices that they are, and breaks the order in memory: here they are that.

Source: found here with PyTorch 2.14 and oneDNN 3.12; tests/net/test_conv.py shows it.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv3d, linear, pad

from medclf.net.precision import autocasts
from medclf.net.style import standardised


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d` with padding by zeros in whole samples."""

    def forward(self, x: Tensor) -> Tensor:
        x, edges = _lay_zeros(self, x)
        return conv2d(x, kernel_of(self), self.bias, self.stride, edges, self.dilation, self.groups)


class Conv3d(nn.Conv3d):
    """`torch.nn.Conv3d` with padding by zeros in whole samples."""

    def forward(self, x: Tensor) -> Tensor:
        if _mixes(self) and _single(x):
            flat = linear(x.movedim(1, -1), kernel_of(self).flatten(1), self.bias)
            return flat.movedim(-1, 1)
        if x.device.type == "cpu" and _is_depthwise(self) and autocasts(x.device):
            with torch.autocast("cpu", enabled=False):
                return self._apply_kernel(x.float()).to(torch.get_autocast_dtype("cpu"))
        return self._apply_kernel(x)

    def _apply_kernel(self, x: Tensor) -> Tensor:
        x, edges = _lay_zeros(self, x)
        return conv3d(x, kernel_of(self), self.bias, self.stride, edges, self.dilation, self.groups)


def _is_depthwise(conv: nn.Conv3d) -> bool:
    """Tell whether each channel is convolved by itself."""
    return conv.groups == conv.in_channels == conv.out_channels > 1


def _mixes(conv: nn.Conv3d) -> bool:
    """Tell whether a convolution does nothing but mix the channels of each sample."""
    alone = conv.groups * prod(conv.kernel_size) * prod(conv.stride) == 1
    return alone and not any(int(zeros) for zeros in conv.padding)


def _single(x: Tensor) -> bool:
    """Tell whether a volume is computed in single precision, and lies channels last."""
    last = x.is_contiguous(memory_format=torch.channels_last_3d)
    return last and x.dtype == torch.float32 and not autocasts(x.device)


def kernel_of(conv: Any) -> Tensor:
    """Give the kernel that a convolution applies: its weight, standardised where it has a gain."""
    weight: Tensor = conv.weight
    return standardised(weight, conv.gain) if hasattr(conv, "gain") else weight


def _lay_zeros(conv: nn.Conv2d | nn.Conv3d, x: Tensor) -> tuple[Tensor, Sequence[int]]:
    """Pad a map that is shorter than the kernel; other maps are left to the convolution."""
    edges = [int(zeros) for zeros in conv.padding]
    reach = zip(x.shape[2:], conv.kernel_size, conv.dilation, strict=True)
    if all(n > (kernel - 1) * step for n, kernel, step in reach):
        return x, edges
    return pad(x, [zeros for zeros in reversed(edges) for _ in range(2)]), [0] * len(edges)
