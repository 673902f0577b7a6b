"""Convolutions that stay right where the map is shorter than the kernel.

On processors with AVX-512, oneDNN leaves part of the weights' gradient unwritten, or writes past
its end, for bfloat16 convolutions whose padding takes in more than the map: one sample under
3 x 3 of stride 2, two planes under 3 x 3 x 3. Thick-slice volumes and deep networks meet such maps.
There the zeros are laid out in the input instead, which is exact, and cheap as the map is tiny.

Source: found here with PyTorch 2.14 and oneDNN 3.12; tests/net/test_conv.py shows it.
"""

from torch import Tensor, nn
from torch.nn.functional import conv2d, conv3d, pad


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d` with padding by zeros in whole samples."""

    def forward(self, x: Tensor) -> Tensor:
        if not _is_short(self, x):
            return super().forward(x)
        x = _with_zeros(self, x)
        return conv2d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class Conv3d(nn.Conv3d):
    """`torch.nn.Conv3d` with padding by zeros in whole samples."""

    def forward(self, x: Tensor) -> Tensor:
        if not _is_short(self, x):
            return super().forward(x)
        x = _with_zeros(self, x)
        return conv3d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def _is_short(conv: nn.Conv2d | nn.Conv3d, x: Tensor) -> bool:
    reach = zip(x.shape[2:], conv.kernel_size, conv.dilation, strict=True)
    return any(n <= (kernel - 1) * step for n, kernel, step in reach)


def _with_zeros(conv: nn.Conv2d | nn.Conv3d, x: Tensor) -> Tensor:
    sides = [int(zeros) for zeros in conv.padding for _ in range(2)]
    return pad(x, sides[::-1])
