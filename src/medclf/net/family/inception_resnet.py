"""Inception-ResNet v2: modules of Inception as corrections of residual blocks, scaled down.

Without the scale such wide blocks die early in training: from some point on they give nothing but
zeros. The stem is that of Inception v3, as in the weights that the authors published; the paper
draws that of Inception v4, and half as many blocks.

Source: Szegedy, Ioffe, Vanhoucke, Alemi. Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning. AAAI 2017, figures 15 to 19; section 3.3 for the scale.
"""

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.branch import Branches, Conv, Way, Ways
from medclf.net.family.inception_v3 import LEAST, STRIDES, STYLE, inception_a, open_stem
from medclf.net.nd import Edges, Layers, kept_strides, layers, spread
from medclf.net.style import Style


class InceptionResNet(Body):
    """Body of Inception-ResNet v2.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        width: Factor on the channels of every layer, which become multiples of 8.
        blocks: Of the first and of the last kind; there are twice as many of the second.
        strides: Of the first convolution, the two pools, and modules 6a and 7a.
        padded: Whether zeros are laid where the paper has none.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, 1536, *space'): 299 samples become 8; padded,
        `space'` is ceil(space / 32), with the strides of the paper

    Raises:
        SettingError: there is no block.
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        width: float = 1.0,
        blocks: int = 10,
        strides: Sequence[Edges] = STRIDES,
        padded: bool = False,
        style: Style = STYLE,
    ) -> None:
        if blocks < 1:
            raise SettingError(f"Inception-ResNet has 1 block or more of a kind, not {blocks!r}")
        kind, zeros = layers(dims, style), int(padded)
        make = Ways(kind, width)
        *first, sixth, seventh = (spread(stride, dims) for stride in strides)
        skips = (kind.drop_path(place, 4 * blocks) for place in range(1, 4 * blocks + 1))
        stages, here = open_stem(make, channels, first, zeros)
        stages["mixed5b"] = mixed = inception_a(make, here, 64, 96, count_zeros=False)
        stages["block35"] = repeat(make, block35, mixed.features, blocks, 0.17, skips)
        stages["mixed6a"] = mixed = reduction_a(make, mixed.features, sixth, zeros)
        stages["block17"] = repeat(make, block17, mixed.features, 2 * blocks, 0.1, skips)
        stages["mixed7a"] = mixed = reduction_b(make, mixed.features, seventh, zeros)
        stages["block8"] = last = repeat(make, block8, mixed.features, blocks - 1, 0.2, skips)
        branches = block8(make, mixed.features)
        last.append(Scaled(kind, mixed.features, branches, 1.0, next(skips), nn.Identity()))
        stages["conv7b"] = conv = make.way(mixed.features, Conv(1536))
        super().__init__(dims, stages, conv.features)


class Scaled(nn.Module):
    """A block whose correction comes from a module of Inception, and is scaled down.

    Args:
        kind: The layers to choose from.
        here: Channels that come in, and go out.
        branches: The module.
        scale: Of its correction.
        skip: Stochastic depth.
        act: What follows the sum.
    """

    def __init__(
        self,
        kind: Layers,
        here: int,
        branches: Branches,
        scale: float,
        skip: nn.Module,
        act: nn.Module,
    ) -> None:
        super().__init__()
        self.branches, self.widen = branches, kind.conv(branches.features, here, 1)
        self.scale, self.skip, self.act = scale, skip, act

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(x + self.skip(self.scale * self.widen(self.branches(x))))
        return out


def repeat(
    make: Ways,
    block: Callable[[Ways, int], Branches],
    here: int,
    count: int,
    scale: float,
    skips: Iterator[nn.Module],
) -> nn.Sequential:
    """Make so many blocks of one kind."""
    kind, made = make.kind, nn.Sequential()
    for _ in range(count):
        made.append(Scaled(kind, here, block(make, here), scale, next(skips), kind.act()))
    return made


def block35(make: Ways, here: int) -> Branches:
    """Make the ways of a block on 35 x 35 (figure 16)."""
    return Branches(
        make.way(here, Conv(32)),
        make.way(here, Conv(32), Conv(32, 3)),
        make.way(here, Conv(32), Conv(48, 3), Conv(64, 3)),
    )


def block17(make: Ways, here: int) -> Branches:
    """Make the ways of a block on 17 x 17 (figure 17)."""
    tall, flat = make.kind.bar(7, 0), make.kind.bar(7, 1)
    return Branches(
        make.way(here, Conv(192)), make.way(here, Conv(128), Conv(160, flat), Conv(192, tall))
    )


def block8(make: Ways, here: int) -> Branches:
    """Make the ways of a block on 8 x 8 (figure 19)."""
    tall, flat = make.kind.bar(3, 0), make.kind.bar(3, 1)
    return Branches(
        make.way(here, Conv(192)), make.way(here, Conv(192), Conv(224, flat), Conv(256, tall))
    )


def reduction_a(make: Ways, here: int, steps: Sequence[int], zeros: int) -> Branches:
    """Make the module that halves 35 x 35 (figure 7, table 1)."""
    return Branches(
        make.way(here, Conv(384, 3, steps, zeros)),
        make.way(here, Conv(256), Conv(256, 3), Conv(384, 3, steps, zeros)),
        Way(make.kind.shrink(3, steps, padding=zeros), features=here),
    )


def reduction_b(make: Ways, here: int, steps: Sequence[int], zeros: int) -> Branches:
    """Make the module that halves 17 x 17 (figure 18)."""
    return Branches(
        make.way(here, Conv(256), Conv(384, 3, steps, zeros)),
        make.way(here, Conv(256), Conv(288, 3, steps, zeros)),
        make.way(here, Conv(256), Conv(288, 3), Conv(320, 3, steps, zeros)),
        Way(make.kind.shrink(3, steps, padding=zeros), features=here),
    )


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    width: float = 1.0,
    blocks: int = 10,
) -> InceptionResNet:
    """Build Inception-ResNet v2 for a size; small ones are met as by Inception v3."""
    strides, padded = kept_strides(size, STRIDES), min(size) < LEAST
    return InceptionResNet(dims, channels, width, blocks, strides, padded, style)


# Names of timm's weights, which want intensities from -1 to 1.
TIMM = (
    (r"^conv2d_(\d\w)\.", r"body.conv\1.0."),
    (r"^mixed_", "body.mixed"),
    (r"^repeat\.(\d+)\.", r"body.block35.\1."),
    (r"^repeat_1\.(\d+)\.", r"body.block17.\1."),
    (r"^repeat_2\.(\d+)\.", r"body.block8.\1."),
    (r"^block8\.", "body.block8.9."),
    (r"^(body\.block\d+\.\d+)\.branch", r"\1.branches.branch"),
    (r"\.branch(\d)\.(?=conv|bn)", r".\1.0."),
    (r"\.branch(\d)\.", r".\1."),
    (r"\.conv2d\.", ".widen."),
    (r"\.conv\.", ".0."),
    (r"\.bn\.", ".1."),
    (r"^classif\.", "linear."),
)
