"""The vocabulary of layers: each network is written once and built for pictures or for volumes.

`layers(2)` and `layers(3)` give the same names, so that an architecture says `max_pool` and never
asks for the number of axes. Weights are drawn by `initialise` from a generator of the caller's.

Source: He, Zhang, Ren, Sun. Delving Deep into Rectifiers: Surpassing Human-Level Performance on
ImageNet Classification. ICCV 2015, equation 14.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from medclf.errors import SettingError
from medclf.net.conv import Conv2d, Conv3d
from medclf.net.precision import MaxPool3d

Edges = int | Sequence[int]
Maker = Callable[..., nn.Module]
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.LayerNorm)


@dataclass(frozen=True)
class Layers:
    """The layers for one number of axes; each takes an int, or one number per axis.

    Args:
        convolve: The convolution as a function of input, weight and bias.
        drop_channels: Dropout of whole channels.
        memory_format: The order in memory that this processor likes, channels last.
    """

    conv: Maker
    norm: Maker
    max_pool: Maker
    avg_pool: Maker
    adaptive_avg_pool: Maker
    adaptive_max_pool: Maker
    drop_channels: Maker
    convolve: Callable[..., Tensor]
    memory_format: torch.memory_format


LAYERS = {
    2: Layers(
        conv=Conv2d,
        norm=nn.BatchNorm2d,
        max_pool=nn.MaxPool2d,
        avg_pool=nn.AvgPool2d,
        adaptive_avg_pool=nn.AdaptiveAvgPool2d,
        adaptive_max_pool=nn.AdaptiveMaxPool2d,
        drop_channels=nn.Dropout2d,
        convolve=functional.conv2d,
        memory_format=torch.channels_last,
    ),
    3: Layers(
        conv=Conv3d,
        norm=nn.BatchNorm3d,
        max_pool=MaxPool3d,
        avg_pool=nn.AvgPool3d,
        adaptive_avg_pool=nn.AdaptiveAvgPool3d,
        adaptive_max_pool=nn.AdaptiveMaxPool3d,
        drop_channels=nn.Dropout3d,
        convolve=functional.conv3d,
        memory_format=torch.channels_last_3d,
    ),
}


def layers(dims: int) -> Layers:
    """Give the layers for `dims` axes of space.

    Raises:
        SettingError: `dims` is neither 2 nor 3.

    Example:
        >>> layers(3).max_pool(2)(torch.zeros(1, 8, 4, 6, 6)).shape
        torch.Size([1, 8, 2, 3, 3])
    """
    if dims not in LAYERS:
        raise SettingError(f"a network has 2 or 3 axes of space, not {dims!r}")
    return LAYERS[dims]


def conv_norm(
    dims: int,
    here: int,
    there: int,
    kernel: Edges,
    stride: Edges = 1,
    padding: Edges | None = None,
    groups: int = 1,
    dilation: int = 1,
) -> nn.Sequential:
    """Make a convolution and the batch normalisation that stands for its bias.

    Args:
        dims: Axes of space, 2 or 3.
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
        padding = tuple(dilation * (edge - 1) // 2 for edge in spread(kernel, dims))
    size, step, edge = spread(kernel, dims), spread(stride, dims), spread(padding, dims)
    kind = layers(dims)
    conv = kind.conv(here, there, size, step, edge, dilation=dilation, groups=groups, bias=False)
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


def initialise(module: nn.Module, generator: Generator) -> None:
    """Draw all weights anew, the same from the same generator whatever the global one holds.

    Convolutions: normal, of variance 2 over fan-out, which keeps the scale of gradients through
    ReLU. Linear layers: normal, of deviation .01, so that the first answers are near even.
    Biases: 0. Norms: identity. A module with a method `draw(generator)` follows its own paper.

    Raises:
        SettingError: a layer has weights and no rule for them.
    """
    if callable(own := getattr(module, "draw", None)):
        own(generator)
    elif isinstance(module, nn.Conv2d | nn.Conv3d):
        fan_out = module.out_channels * prod(module.kernel_size) // module.groups
        fill_normal(module.weight, (2 / fan_out) ** 0.5, generator)
        zero(module.bias)
    elif isinstance(module, nn.Linear):
        fill_normal(module.weight, 0.01, generator)
        zero(module.bias)
    elif isinstance(module, NORMS):
        module.reset_parameters()
    elif any(True for _ in module.parameters(recurse=False)):
        raise SettingError(f"no rule to initialise the weights of {type(module).__name__}")
    else:
        for child in module.children():
            initialise(child, generator)


def fill_normal(weight: Tensor, deviation: float, generator: Generator) -> None:
    """Fill with normal draws of mean 0, on any device and in any memory order alike."""
    _fill(weight, lambda x: x.normal_(0, deviation, generator=generator), generator)


def fill_uniform(weight: Tensor, bound: float, generator: Generator) -> None:
    """Fill with draws between -bound and bound, on any device and in any memory order alike."""
    _fill(weight, lambda x: x.uniform_(-bound, bound, generator=generator), generator)


def zero(bias: Tensor | None) -> None:
    """Set a bias to 0 where there is one."""
    if bias is not None:
        nn.init.zeros_(bias)


def _fill(weight: Tensor, draw: Callable[[Tensor], Any], generator: Generator) -> None:
    fresh = torch.empty(weight.shape, device=generator.device)
    draw(fresh)
    with torch.no_grad():
        weight.copy_(fresh)
