"""ACS convolution: 2D kernels look at a volume along all three planes of the body.

The maps that go out are shared out: a third sees the axial plane, a third the coronal, a third the
sagittal. The weights are those of the 2D layer, so that a network trained on pictures works in a
volume as it is, and learns on from there.

Source: Yang et al. Reinventing 2D Convolutions for 3D Images. IEEE Journal of Biomedical and
Health Informatics 2021, figure 2.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import conv3d, pad

from medclf.errors import SettingError
from medclf.net.conv import kernel_of
from medclf.net.start import fill_normal, zero

PLANES = ((1, 2), (0, 2), (0, 1))  # axes of the axial, coronal and sagittal plane, z first


class AcsConv(nn.Module):
    """A convolution of volumes by 2D kernels.

    Args:
        here: Channels that come in.
        there: Channels that go out.
        kernel: Edges of the 2D kernel. Unequal ones want the padding that keeps the shape.
        stride: One step per axis of the volume, z first.
        padding: Zeros before and after each axis of the plane.
        dilation: Distance of neighbouring samples under the kernel, per axis of the plane.
        groups: Groups of channels that do not mix.
        bias: Whether a number is added to each map.

    Shape:
        (B, here, *space) -> (B, there, *space'), as the 3D layer of a cubic kernel gives

    Raises:
        SettingError: an oblong kernel does not keep the shape.
    """

    def __init__(
        self,
        here: int,
        there: int,
        kernel: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int],
        dilation: Sequence[int] = (1, 1),
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        kept = [2 * p == d * (k - 1) for k, p, d in zip(kernel, padding, dilation, strict=True)]
        if kernel[0] != kernel[1] and not all(kept):
            raise SettingError(f"an oblong ACS kernel must keep the shape; {kernel} does not")
        self.plane, self.stride = tuple(kernel), tuple(stride)
        self.padding, self.steps, self.groups = tuple(padding), tuple(dilation), groups
        self.kernel_size = (max(kernel),) * 3  # how far a cell sees
        self.dilation = (max(dilation),) * 3
        self.weight = nn.Parameter(torch.zeros(there, here // groups, *kernel))
        self.bias = nn.Parameter(torch.zeros(there)) if bias else None
        self.draw(torch.Generator().manual_seed(0))

    def forward(self, x: Tensor) -> Tensor:
        kernel, shares = kernel_of(self), self._shares()
        of_group = x.shape[1] // self.groups
        found = []
        for axes, (first, last) in zip(PLANES, shares, strict=True):
            if first == last:
                continue
            each = len(self.weight) // self.groups
            outs = slice(first, last) if self.groups == 1 else slice(first * each, last * each)
            ins = slice(None) if self.groups == 1 else slice(first * of_group, last * of_group)
            groups = 1 if self.groups == 1 else last - first
            bias = None if self.bias is None else self.bias[outs]
            found.append(self._look(x[:, ins], kernel[outs], bias, axes, groups))
        return torch.cat(found, 1)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        """Let the kernels be laid out in memory as those of a volume, which they are in use."""

        def within(tensor: Tensor) -> Tensor:
            return fn(tensor.unsqueeze(2)).squeeze(2) if tensor.ndim == 4 else fn(tensor)

        return super()._apply(within, recurse)  # type: ignore[no-untyped-call]

    def _shares(self) -> list[tuple[int, int]]:
        """Share maps, or whole groups, out over the three planes: first and last of each."""
        count = len(self.weight) if self.groups == 1 else self.groups
        edges = [0, -(-count // 3), -(-2 * count // 3), count]
        return list(pairwise(edges))

    def _look(
        self, x: Tensor, kernel: Tensor, bias: Tensor | None, axes: tuple[int, int], groups: int
    ) -> Tensor:
        """Convolve within one plane; across it the volume is cut where a cubic kernel would."""
        (across,) = {0, 1, 2} - set(axes)
        edge, step = self.plane[0], self.steps[0]
        reach = step * (edge - 1)
        square = self.plane[0] == self.plane[1]
        sides = [(p, p) for p in self.padding]
        sides.insert(across, (self.padding[0] - reach // 2, self.padding[0] - (reach - reach // 2)))
        if not square:
            sides[across] = (0, 0)
        steps = list(self.steps)
        steps.insert(across, 1)
        wide = pad(x, [n for side in reversed(sides) for n in side])
        return conv3d(wide, kernel.unsqueeze(2 + across), bias, self.stride, 0, steps, groups)

    def draw(self, generator: Generator) -> None:
        """Draw weights as those of a 2D convolution; biases are 0."""
        there, _, *edges = self.weight.shape
        fill_normal(self.weight, (2 * self.groups / (there * prod(edges))) ** 0.5, generator)
        zero(self.bias)
