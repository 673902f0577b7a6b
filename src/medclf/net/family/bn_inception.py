"""BN-Inception, also Inception v2: batch norm everywhere, and two 3 x 3 in place of the 5 x 5.

No pool stands between the modules; 3c and 4e halve the map themselves, by strides in their last
convolutions and a pool beside them. The first convolution is separable: 7 x 7 on each channel of
the image, eight maps from each, then 1 x 1.

Source: Ioffe, Szegedy. Batch Normalization: Accelerating Deep Network Training by Reducing Internal
Covariate Shift. ICML 2015, figure 5 of the appendix. The widths are those of its columns; its
column of outputs miscounts 4c and 4d.
"""

from collections.abc import Sequence
from functools import partial

from torch import nn

from medclf.net.body import Body
from medclf.net.branch import Branches, Conv, Way, Ways, chain
from medclf.net.nd import Edges, conv_norm, kept_strides, layers, spread
from medclf.net.style import Style

STRIDES = (2, 2, 2, 2, 2)  # of the first convolution, the two pools, 3c and 4e
MAPS = 8  # that the first convolution makes of each channel of the image

# Figure 5: 1 x 1; 3 x 3, narrowed before it; double 3 x 3, narrowed before it; behind the pool.
MODULES = {
    "inception3a": (64, 64, 64, 64, 96, 32),
    "inception3b": (64, 64, 96, 64, 96, 64),
    "inception3c": (0, 128, 160, 64, 96, 0),
    "inception4a": (224, 64, 96, 96, 128, 128),
    "inception4b": (192, 96, 128, 96, 128, 128),
    "inception4c": (160, 128, 160, 128, 160, 128),
    "inception4d": (96, 128, 192, 160, 192, 128),
    "inception4e": (0, 128, 192, 192, 256, 0),
    "inception5a": (352, 192, 320, 160, 224, 128),
    "inception5b": (352, 192, 320, 192, 224, 128),
}


class BNInception(Body):
    """Body of BN-Inception.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        width: Factor on the channels of every layer, which become multiples of 8.
        strides: Of the first convolution, the two pools, and modules 3c and 4e.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, 1024, *ceil(space / 32)), with the strides of the paper
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        width: float = 1.0,
        strides: Sequence[Edges] = STRIDES,
        style: Style = Style(),
    ) -> None:
        kind = layers(dims, style)
        make = Ways(kind, width)
        first, pool1, pool2, third, fourth = (spread(stride, dims) for stride in strides)
        plan = {name: partial(inception, row=row) for name, row in MODULES.items()}
        plan["inception3c"] = partial(reduction, row=MODULES["inception3c"], steps=third)
        plan["inception4e"] = partial(reduction, row=MODULES["inception4e"], steps=fourth)
        plan["inception5b"] = partial(
            inception, row=MODULES["inception5b"], pool=kind.max_pool(3, 1, 1)
        )
        conv1 = separable(make, channels, first)
        conv2 = make.way(conv1.features, Conv(64), Conv(192, 3))
        modules, features = chain(make, conv2.features, plan)
        stages: dict[str, nn.Module] = {
            "conv1": conv1,
            "pool1": kind.shrink(3, pool1, padding=1),
            "conv2": conv2,
            "pool2": kind.shrink(3, pool2, padding=1),
            **modules,
        }
        super().__init__(dims, stages, features)


def separable(make: Ways, channels: int, steps: Sequence[int]) -> Way:
    """Make the first convolution: each channel by itself, then all together."""
    kind, there, maps = make.kind, make.count(64), MAPS * channels
    kernel = kind.stem(7, steps)
    zeros = [edge // 2 for edge in kernel]
    each = kind.conv(channels, maps, kernel, steps, zeros, groups=channels, bias=False)
    return Way(each, *conv_norm(kind, maps, there, 1), kind.act(), features=there)


def inception(make: Ways, here: int, row: Sequence[int], pool: nn.Module | None = None) -> Branches:
    """Make a module that keeps the shape; its pool takes the mean unless another is given."""
    one, narrow, wide, narrow_twice, twice, pooled = row
    mean = make.kind.avg_pool(3, 1, 1, count_zeros=False)
    return Branches(
        make.way(here, Conv(one)),
        make.way(here, Conv(narrow), Conv(wide, 3)),
        make.way(here, Conv(narrow_twice), Conv(twice, 3), Conv(twice, 3)),
        make.way(here, Conv(pooled), pool=pool or mean),
    )


def reduction(make: Ways, here: int, row: Sequence[int], steps: Edges) -> Branches:
    """Make a module that halves the map, with a pool that the map passes beside it."""
    _, narrow, wide, narrow_twice, twice, _ = row
    pool = make.kind.shrink(3, spread(steps, make.kind.dims), padding=1)
    return Branches(
        make.way(here, Conv(narrow), Conv(wide, 3, steps)),
        make.way(here, Conv(narrow_twice), Conv(twice, 3), Conv(twice, 3, steps)),
        Way(pool, features=here),
    )


def build(
    dims: int, channels: int, size: Sequence[int], style: Style, width: float = 1.0
) -> BNInception:
    """Build BN-Inception for a size: its first strides are dropped where the input is too small."""
    return BNInception(dims, channels, width, kept_strides(size, STRIDES), style)
