"""Convolutions that stay right where the map is shorter than the kernel.

On processors with AVX-512, oneDNN leaves part of the weights' gradient unwritten, or writes past
its end, for bfloat16 convolutions whose padding takes in more than the map: one sample under
3 x 3 of stride 2, two planes under 3 x 3 x 3. Thick-slice volumes and deep networks meet such maps.
There the zeros are laid out in the input instead, which is exact, and cheap as the map is tiny.

Source: found here with PyTorch 2.14 and oneDNN 3.12; tests/net/test_conv.py shows it.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import conv2d, conv3d, pad

from medclf.net.style import standardised


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d` with padding by zeros in whole samples."""

    def forward(self, x: Tensor) -> Tensor:
        x, edges = _lay_zeros(self, x)
        return conv2d(x, kernel_of(self), self.bias, self.stride, edges, self.dilation, self.groups)


class Conv3d(nn.Conv3d):
    """`torch.nn.Conv3d` with padding by zeros in whole samples."""

    def forward(self, x: Tensor) -> Tensor:
        x, edges = _lay_zeros(self, x)
        return conv3d(x, kernel_of(self), self.bias, self.stride, edges, self.dilation, self.groups)


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
