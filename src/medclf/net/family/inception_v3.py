"""Inception v3: large kernels are taken apart, 5 x 5 into two of 3 x 3, 7 x 7 into 1 x 7 and 7 x 1.

An auxiliary head with batch norm judges the map of 17 x 17 in training. The paper has no zeros
around its strided convolutions and in its stem, which costs samples at every border; an input too
small for that gets them, so that its map does not vanish.

Source: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna. Rethinking the Inception Architecture for Computer
Vision. CVPR 2016, table 1 and figures 5 to 8 and 10; the widths are those of the published weights.
"""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from medclf.net.body import Body
from medclf.net.branch import Branches, Conv, Module, Way, Ways, chain
from medclf.net.nd import Edges, kept_strides, layers, spread
from medclf.net.style import Style

STYLE = Style(epsilon=1e-3)
STRIDES = (2, 2, 2, 2, 2)  # of the first convolution, the two pools, and modules 6a and 7a
LEAST = 139  # samples that leave 3 along each axis without zeros at the borders
SEEN = 17  # samples along each axis of the map that the auxiliary head is made for
CELLS = 5  # to which it pools them


class InceptionV3(Body):
    """Body of Inception v3.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        width: Factor on the channels of every layer, which become multiples of 8.
        strides: Of the first convolution, the two pools, and modules 6a and 7a.
        padded: Whether zeros are laid where the paper has none.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, 2048, *space'): 299 samples become 8; padded,
        `space'` is ceil(space / 32), with the strides of the paper
    """

    auxiliary_share = 0.4

    def __init__(
        self,
        dims: int,
        channels: int,
        width: float = 1.0,
        strides: Sequence[Edges] = STRIDES,
        padded: bool = False,
        style: Style = STYLE,
    ) -> None:
        make, zeros = Ways(layers(dims, style), width), int(padded)
        *first, sixth, seventh = (spread(stride, dims) for stride in strides)
        plan: dict[str, Module] = {
            "mixed5b": partial(inception_a, pooled=32),
            "mixed5c": partial(inception_a, pooled=64),
            "mixed5d": partial(inception_a, pooled=64),
            "mixed6a": partial(inception_b, steps=sixth, zeros=zeros),
            "mixed6b": partial(inception_c, narrow=128),
            "mixed6c": partial(inception_c, narrow=160),
            "mixed6d": partial(inception_c, narrow=160),
            "mixed6e": partial(inception_c, narrow=192),
            "mixed7a": partial(inception_d, steps=seventh, zeros=zeros),
            "mixed7b": inception_e,
            "mixed7c": inception_e,
        }
        opening, here = open_stem(make, channels, first, zeros)
        modules, features = chain(make, here, plan)
        super().__init__(dims, {**opening, **modules}, features)
        self.make, self.reaching = make, modules["mixed6e"].features

    def auxiliary(self, outputs: int) -> dict[str, nn.Module]:
        """Make the head of module 6e."""
        kind = self.make.kind
        way = self.make.way(self.reaching, Conv(128), Conv(768, CELLS, 1, 0))
        mean, linear = kind.adaptive_avg_pool(1), nn.Linear(way.features, outputs)
        head = nn.Sequential(Coarse(self.dims), *way, mean, nn.Flatten(), linear)
        return {"mixed6e": head}


class Coarse(nn.Module):
    """Pool 5 samples every 3, so that 17 become 5; a smaller map is pooled to 5 cells as well."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        kind = layers(dims)
        self.pool, self.cells = kind.avg_pool(5, 3), kind.adaptive_avg_pool(CELLS)

    def forward(self, x: Tensor) -> Tensor:
        pool = self.cells if min(x.shape[2:]) < SEEN else self.pool
        out: Tensor = pool(x)
        return out


def open_stem(
    make: Ways, channels: int, strides: Sequence[Sequence[int]], zeros: int
) -> tuple[dict[str, nn.Module], int]:
    """Make the stages before the modules, and count the channels that leave them.

    Args:
        make: Makes their ways.
        channels: Channels of the input.
        strides: Of the first convolution and the two pools.
        zeros: Laid around the maps that the paper leaves without.
    """
    first, pool3, pool5 = strides
    here, kind = make.count, make.kind
    stages: dict[str, nn.Module] = {
        "conv1a": make.way(channels, Conv(32, 3, first, zeros)),
        "conv2a": make.way(here(32), Conv(32, 3, 1, zeros)),
        "conv2b": make.way(here(32), Conv(64, 3)),
        "pool3a": kind.shrink(3, pool3, padding=zeros),
        "conv3b": make.way(here(64), Conv(80)),
        "conv4a": make.way(here(80), Conv(192, 3, 1, zeros)),
        "pool5a": kind.shrink(3, pool5, padding=zeros),
    }
    return stages, here(192)


def inception_a(
    make: Ways, here: int, pooled: int, one: int = 64, count_zeros: bool = True
) -> Branches:
    """Make a module with 5 x 5 and double 3 x 3 (figure 5).

    Args:
        make: Makes its ways.
        here: Channels that come in.
        pooled: Channels of the way behind the pool.
        one: Channels of the way of 1 x 1.
        count_zeros: Whether the mean of the pool counts the zeros beyond the border.
    """
    return Branches(
        make.way(here, Conv(one)),
        make.way(here, Conv(48), Conv(64, 5)),
        make.way(here, Conv(64), Conv(96, 3), Conv(96, 3)),
        make.way(here, Conv(pooled), pool=make.kind.avg_pool(3, 1, 1, count_zeros=count_zeros)),
    )


def inception_b(make: Ways, here: int, steps: Sequence[int], zeros: int) -> Branches:
    """Make the module that halves 35 x 35 (figure 10)."""
    return Branches(
        make.way(here, Conv(384, 3, steps, zeros)),
        make.way(here, Conv(64), Conv(96, 3), Conv(96, 3, steps, zeros)),
        Way(make.kind.shrink(3, steps, padding=zeros), features=here),
    )


def inception_c(make: Ways, here: int, narrow: int) -> Branches:
    """Make a module whose 7 x 7 are pairs of bars (figure 6)."""
    tall, flat = make.kind.bar(7, 0), make.kind.bar(7, 1)
    once = (Conv(narrow), Conv(narrow, flat), Conv(192, tall))
    twice = (Conv(narrow), Conv(narrow, tall), Conv(narrow, flat), Conv(narrow, tall))
    return Branches(
        make.way(here, Conv(192)),
        make.way(here, *once),
        make.way(here, *twice, Conv(192, flat)),
        make.way(here, Conv(192), pool=make.kind.avg_pool(3, 1, 1)),
    )


def inception_d(make: Ways, here: int, steps: Sequence[int], zeros: int) -> Branches:
    """Make the module that halves 17 x 17."""
    tall, flat = make.kind.bar(7, 0), make.kind.bar(7, 1)
    seven = (Conv(192), Conv(192, flat), Conv(192, tall))
    return Branches(
        make.way(here, Conv(192), Conv(320, 3, steps, zeros)),
        make.way(here, *seven, Conv(192, 3, steps, zeros)),
        Way(make.kind.shrink(3, steps, padding=zeros), features=here),
    )


def inception_e(make: Ways, here: int) -> Branches:
    """Make a module whose 3 x 3 part into bars side by side (figure 7)."""
    bars = (Conv(384, make.kind.bar(3, 1)), Conv(384, make.kind.bar(3, 0)))
    return Branches(
        make.way(here, Conv(320)),
        make.fork(here, Conv(384), into=bars),
        make.fork(here, Conv(448), Conv(384, 3), into=bars),
        make.way(here, Conv(192), pool=make.kind.avg_pool(3, 1, 1)),
    )


def build(
    dims: int, channels: int, size: Sequence[int], style: Style, width: float = 1.0
) -> InceptionV3:
    """Build Inception v3 for a size.

    Where an axis has under 139 samples zeros are laid at all borders, and under 96 its first
    strides are dropped.
    """
    padded = min(size) < LEAST
    return InceptionV3(dims, channels, width, kept_strides(size, STRIDES), padded, style)


# Names of torchvision's weights, which want intensities from -1 to 1.
TORCHVISION = (
    (r"^Conv2d_(\d\w)_\dx\d\.", r"body.conv\1.0."),
    (r"^Mixed_", "body.mixed"),
    (r"^AuxLogits\.conv0\.", "auxiliary.mixed6e.1."),
    (r"^AuxLogits\.conv1\.", "auxiliary.mixed6e.2."),
    (r"^AuxLogits\.fc\.", "auxiliary.mixed6e.5."),
    (r"_2a\.", ".1.0.0."),  # the bars of 7b and 7c
    (r"_2b\.", ".1.1.0."),
    (r"_3a\.", ".2.0.0."),
    (r"_3b\.", ".2.1.0."),
    (r"branch_pool\.", "3.1."),
    *((rf"_{place}\.", f".{place - 1}.") for place in range(1, 6)),
    (r"\.branch(1x1|3x3)\.(?=conv|bn)", ".0.0."),
    (r"(mixed6a)\.branch3x3dbl", r"\1.1"),
    (r"(mixed7a)\.branch3x3", r"\1.0"),
    (r"\.branch(5x5|7x7|7x7x3|3x3)\.", ".1."),
    (r"\.branch(3x3|7x7)dbl\.", ".2."),
    (r"\.conv\.", ".0."),
    (r"\.bn\.", ".1."),
    (r"^fc\.", "linear."),
)
