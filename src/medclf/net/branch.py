"""Ways side by side: what the families of Inception are made of.

A module sends its map down several ways, each a chain of convolutions or a pool, and puts the maps
that they give one behind the other. So one module looks at several scales at once.

Source: Szegedy et al. Going Deeper with Convolutions. CVPR 2015, figure 2.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from medclf.net.nd import Edges, Layers, conv_norm
from medclf.net.separable import thin


class Conv(NamedTuple):
    """A convolution as the tables of the papers name it; norm and activation follow it.

    Args:
        channels: That go out.
        kernel: Edge in samples, or one edge per axis.
        stride: Step in samples, or one step per axis.
        padding: Zeros before and after each axis; if `None`, as many as keep the shape.
    """

    channels: int
    kernel: Edges = 1
    stride: Edges = 1
    padding: Edges | None = None


class Way(nn.Sequential):
    """Layers one after the other.

    Args:
        parts: The layers.
        features: Channels of the last map.
    """

    def __init__(self, *parts: nn.Module, features: int) -> None:
        super().__init__(*parts)
        self.features = features


class Branches(nn.ModuleList):
    """Ways from one map, whose maps are put one behind the other.

    Shape:
        (B, channels, *space) -> (B, features, *space')
    """

    def __init__(self, *ways: Way) -> None:
        super().__init__(ways)
        self.features = sum(way.features for way in ways)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([way(x) for way in self], 1)


@dataclass(frozen=True)
class Ways:
    """Makes the ways of one network.

    Args:
        kind: The layers to choose from.
        width: Factor on the channels of every layer of the paper.
    """

    kind: Layers
    width: float = 1.0

    def count(self, channels: int) -> int:
        """Count the channels that stand for so many of the paper."""
        return thin(channels, self.width)

    def way(self, here: int, *convs: Conv, pool: nn.Module | None = None) -> Way:
        """Make a way of convolutions, behind a pool where there is one.

        Args:
            here: Channels that come in.
            convs: As the paper has them; their widths are changed here.
            pool: Of stride 1.
        """
        parts = [] if pool is None else [pool]
        for conv in convs:
            there = self.count(conv.channels)
            made = conv_norm(self.kind, here, there, conv.kernel, conv.stride, conv.padding)
            parts.append(nn.Sequential(*made, self.kind.act()))
            here = there
        return Way(*parts, features=here)

    def fork(self, here: int, *convs: Conv, into: tuple[Conv, ...]) -> Way:
        """Make a way that parts at its end into several convolutions."""
        trunk = self.way(here, *convs)
        fork = Branches(*(self.way(trunk.features, conv) for conv in into))
        return Way(*trunk, fork, features=fork.features)


Module = Callable[[Ways, int], Branches]


def chain(make: Ways, here: int, modules: Mapping[str, Module]) -> tuple[dict[str, Branches], int]:
    """Make modules one after the other, and count the channels that leave the last.

    Args:
        make: Makes their ways.
        here: Channels that come in.
        modules: By name, the function that makes each from the channels that reach it.
    """
    made = {}
    for name, module in modules.items():
        made[name] = module(make, here)
        here = made[name].features
    return made, here
