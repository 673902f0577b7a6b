"""The vocabulary of layers: each network is written once and built for pictures or for volumes.

`layers(2)` and `layers(3)` give the same names, so that an architecture says `max_pool` and never
asks for the number of axes; with a style they also say which norm and which activation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from medclf.errors import SettingError
from medclf.net.acs import AcsConv
from medclf.net.conv import Conv2d, Conv3d
from medclf.net.pool import AvgPool3d
from medclf.net.precision import MaxPool3d
from medclf.net.style import ACTIVATIONS, DropPath, Style, count_groups

Edges = int | Sequence[int]
SHORTEST = 3  # samples that a network's last map has along each axis, where strides are dropped


@dataclass(frozen=True)
class Layers:
    """The layers for one number of axes, in one style; each takes an int, or one number per axis.

    Args:
        dims: Axes of space, 2 or 3.
        style: Which norm, activation and convolution.
    """

    dims: int
    style: Style = Style()

    @property
    def axes(self) -> int:
        """Axes of a kernel: those of space, but for 2D kernels in a volume."""
        return 2 if self.style.volume == "acs" else self.dims

    @property
    def memory_format(self) -> torch.memory_format:
        """The order in memory that processors like, channels last."""
        return torch.channels_last if self.dims == 2 else torch.channels_last_3d

    def conv(
        self,
        here: int,
        there: int,
        kernel: Edges,
        stride: Edges = 1,
        padding: Edges = 0,
        dilation: Edges = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> nn.Module:
        """Make a convolution; it standardises its weights where the style says so."""
        kind: Any = AcsConv if self.axes < self.dims else (Conv2d, Conv3d)[self.dims - 2]
        made: nn.Module = kind(
            here,
            there,
            spread(kernel, self.axes),
            spread(stride, self.dims),
            spread(padding, self.axes),
            dilation=spread(dilation, self.axes),
            groups=groups,
            bias=bias,
        )
        if self.style.norm == "weights":
            made.gain = nn.Parameter(torch.ones(there))
        return made

    def norm(self, channels: int) -> nn.Module:
        """Make the norm of the style; where it has none, nothing."""
        style = self.style
        if style.norm == "batch":
            kind = (nn.BatchNorm2d, nn.BatchNorm3d)[self.dims - 2]
            return kind(channels, eps=style.epsilon)
        if not style.normed:
            return nn.Identity()
        groups = channels if style.norm == "instance" else count_groups(channels)
        return nn.GroupNorm(groups, channels, eps=style.epsilon)

    def act(self) -> nn.Module:
        """Make the activation of the style."""
        return ACTIVATIONS[self.style.activation]()

    def drop_path(self, place: int, count: int) -> nn.Module:
        """Make the stochastic depth of a block: the last of `count` is skipped most often.

        Args:
            place: Of the block, from 1.
            count: Blocks of the network.
        """
        chance = self.style.drop_path * place / count
        return DropPath(chance) if chance else nn.Identity()

    def bar(self, edge: int, axis: int) -> tuple[int, ...]:
        """Give the kernel of a convolution that is long along one axis of the picture.

        A pair of them, axis 0 and then 1, sees a square of a picture and a cube of a volume: the
        one along the rows has the depth as well.

        Example:
            >>> layers(2).bar(7, 0), layers(3).bar(7, 0), layers(3).bar(7, 1)
            ((7, 1), (7, 7, 1), (1, 1, 7))
        """
        plane = (edge, 1) if axis == 0 else (1, edge)
        return plane if self.axes == 2 else (plane[0], *plane)

    def stem(self, edge: int, steps: Sequence[int], small: int = 3) -> tuple[int, ...]:
        """Give the kernel of a first convolution: large along axes that it strides over.

        Example:
            >>> layers(3).stem(7, (1, 2, 2))
            (3, 7, 7)
        """
        kernel = tuple(edge if step > 1 else small for step in steps)
        return kernel if self.axes == self.dims else (max(kernel),) * self.axes

    def shrink(
        self, edge: int, steps: Sequence[int], padding: int = 0, ceil: bool = False
    ) -> nn.Module:
        """Make the max-pool of a network that halves its map: nothing where no stride is kept.

        Along an axis whose stride was dropped the pool looks at one sample.
        """
        if max(steps) == 1:
            return nn.Identity()
        kernel = [edge if step > 1 else 1 for step in steps]
        zeros = [padding if step > 1 else 0 for step in steps]
        return self.max_pool(kernel, steps, zeros, ceil)

    def max_pool(
        self, kernel: Edges, stride: Edges | None = None, padding: Edges = 0, ceil: bool = False
    ) -> nn.Module:
        kind: Any = (nn.MaxPool2d, MaxPool3d)[self.dims - 2]
        made: nn.Module = kind(*self._window(kernel, stride, padding), ceil_mode=ceil)
        return made

    def avg_pool(
        self,
        kernel: Edges,
        stride: Edges | None = None,
        padding: Edges = 0,
        ceil: bool = False,
        count_zeros: bool = True,
    ) -> nn.Module:
        kind: Any = (nn.AvgPool2d, AvgPool3d)[self.dims - 2]
        window = self._window(kernel, stride, padding)
        made: nn.Module = kind(*window, ceil_mode=ceil, count_include_pad=count_zeros)
        return made

    def adaptive_avg_pool(self, cells: Edges) -> nn.Module:
        kind: Any = (nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[self.dims - 2]
        made: nn.Module = kind(spread(cells, self.dims))
        return made

    def dropout(self, share: float) -> nn.Module:
        """Make a dropout of samples; nothing where the share is 0.

        Raises:
            SettingError: the share is not from 0 to below 1.
        """
        if not 0 <= share < 1:
            raise SettingError(f"a dropout is a share from 0 to below 1, not {share!r}")
        return nn.Dropout(share) if share else nn.Identity()

    def convolve(self, *values: Any, **settings: Any) -> Tensor:
        """Convolve, as a function of input, weight and bias."""
        return (functional.conv2d, functional.conv3d)[self.dims - 2](*values, **settings)

    def _window(self, kernel: Edges, stride: Edges | None, padding: Edges) -> list[tuple[int, ...]]:
        steps = kernel if stride is None else stride
        return [spread(edges, self.dims) for edges in (kernel, steps, padding)]


def layers(dims: int, style: Style = Style()) -> Layers:
    """Give the layers for `dims` axes of space.

    Raises:
        SettingError: `dims` is neither 2 nor 3.

    Example:
        >>> layers(3).max_pool(2)(torch.zeros(1, 8, 4, 6, 6)).shape
        torch.Size([1, 8, 2, 3, 3])
    """
    if dims not in (2, 3):
        raise SettingError(f"a network has 2 or 3 axes of space, not {dims!r}")
    if dims == 2 and style.volume != "full":
        raise SettingError(f"volume = {style.volume!r} is for volumes, and these are pictures")
    return Layers(dims, style)


def conv_norm(
    kind: Layers,
    here: int,
    there: int,
    kernel: Edges,
    stride: Edges = 1,
    padding: Edges | None = None,
    groups: int = 1,
    dilation: Edges = 1,
) -> nn.Sequential:
    """Make a convolution and the norm that stands for its bias; without a norm it has the bias.

    Args:
        kind: The layers to choose from.
        here: Channels that come in.
        there: Channels that go out.
        kernel: Edge of the kernel in samples, or one edge per axis.
        stride: Step in samples, or one step per axis.
        padding: Zeros before and after each axis; if `None`, as many as let an odd kernel of
            stride 1 keep the shape.
        groups: Groups of channels that do not mix; `here` makes it depthwise.
        dilation: Distance of neighbouring samples under the kernel.
    """
    if padding is None:
        pairs = zip(spread(kernel, kind.axes), spread(dilation, kind.axes), strict=True)
        padding = tuple(step * (edge - 1) // 2 for edge, step in pairs)
    bias = not kind.style.normed
    conv = kind.conv(here, there, kernel, stride, padding, dilation, groups, bias)
    return nn.Sequential(conv, kind.norm(there))


def spread(edges: Edges, dims: int) -> tuple[int, ...]:
    """Give one number per axis, where one number stands for all.

    Raises:
        SettingError: there are more or fewer numbers than axes.
    """
    each = (edges,) * dims if isinstance(edges, int) else tuple(edges)
    if len(each) != dims:
        raise SettingError(f"one number or {dims} are wanted, one per axis of space, not {edges}")
    return each


def kept_strides(
    size: Sequence[int], strides: Sequence[int], shortest: int = SHORTEST
) -> list[tuple[int, ...]]:
    """Drop a network's first strides along each axis that is too short for all of them.

    As many of the last strides are kept as leave the last map `shortest` samples; a dropped stride
    is 1. So a thin volume keeps its slices while its planes are halved.

    Args:
        size: Edges of the input in samples, z first.
        strides: Of the paper, from the image on.
        shortest: Samples that the last map has at least.

    Returns:
        One step per axis, for each of the strides.

    Example:
        >>> kept_strides((28, 28), (2, 2, 2, 2, 2))
        [(1, 1), (1, 1), (2, 2), (2, 2), (2, 2)]
        >>> kept_strides((24, 224, 224), (4, 2, 2, 2))
        [(1, 4, 4), (2, 2, 2), (2, 2, 2), (2, 2, 2)]
    """
    axes = []
    for edge in size:
        kept = list(strides)
        for place in range(len(kept)):
            if edge >= shortest * prod(kept):
                break
            kept[place] = 1
        axes.append(kept)
    return list(zip(*axes, strict=True))
