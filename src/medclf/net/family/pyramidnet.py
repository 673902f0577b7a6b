"""Pyramidal residual networks: every block widens the map a little, rather than a few of them much.

The channels rise in equal steps from 16 to 16 + alpha. A shortcut has no weights: new channels are
zeros, and where the map is halved it is averaged. A block has no activation before its first
convolution and none after its last.

Source: Han, Kim, Kim. Deep Pyramidal Residual Networks. CVPR 2017, equation 2, whose fractions are
carried on, figure 6 d, tables 1 and 4. The mean where a map is halved: the authors' code,
github.com/jhkim89/PyramidNet.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import pad

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.nd import Edges, Layers, conv_norm, kept_strides, layers, spread
from medclf.net.style import Style

STRIDES = (1, 2, 2)  # of the three stages
DEPTHS = {110: 18, 164: 18, 200: 22, 236: 26, 272: 30}  # blocks of a stage
BASIC = (110,)  # depths of 6 n + 2; the others are bottlenecks, 9 n + 2


class PyramidNet(Body):
    """Body of an additive pyramidal network.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        alpha: Channels that the last block has more than the first convolution.
        blocks: Of each of the three stages.
        bottleneck: Whether a block is of 1 x 1, 3 x 3 and 1 x 1, the last with four times the
            channels, rather than two of 3 x 3.
        width: Channels of the first convolution.
        strides: Of the three stages.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, width + alpha, *ceil(space / 4)), bottlenecks four times as
        many channels

    Raises:
        SettingError: `alpha` is negative, or `dims` is neither 2 nor 3.
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        alpha: int = 48,
        blocks: int = 18,
        bottleneck: bool = False,
        width: int = 16,
        strides: Sequence[Edges] = STRIDES,
        style: Style = Style(),
    ) -> None:
        if alpha < 0 or blocks < 1:
            found = f"{alpha!r} and {blocks!r}"
            raise SettingError(f"a PyramidNet has alpha from 0 and blocks from 1 up, not {found}")
        kind, expansion = layers(dims, style), 4 if bottleneck else 1
        stages: dict[str, nn.Module] = {"conv1": conv_norm(kind, channels, width, 3)}
        here, place, count = width, 0, 3 * blocks
        for number, stride in enumerate(strides):
            stage = nn.Sequential()
            for i in range(blocks):
                place += 1
                within = width + alpha * place // count
                step = spread(stride if i == 0 else 1, dims)
                correction = (narrowed if bottleneck else doubled)(kind, here, within, step)
                there, skip = within * expansion, kind.drop_path(place, count)
                stage.append(Widening(kind, correction, there - here, step, skip))
                here = there
            stages[f"conv{number + 2}"] = stage
        stages["last"] = nn.Sequential(kind.norm(here), kind.act())
        super().__init__(dims, stages, features=here)


class Widening(nn.Module):
    """Add a correction to a map: the channels that the map lacks are zeros.

    Args:
        kind: The layers to choose from.
        correction: What is added.
        lacking: Channels that the correction has more than the map.
        stride: Of the correction; the map is averaged over as many samples.
        skip: Stochastic depth.
    """

    def __init__(
        self,
        kind: Layers,
        correction: nn.Module,
        lacking: int,
        stride: Sequence[int],
        skip: nn.Module,
    ) -> None:
        super().__init__()
        self.correction, self.skip = correction, skip
        self.zeros = (*(0, 0) * kind.dims, 0, lacking)
        self.mean = kind.avg_pool(stride, ceil=True) if max(stride) > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = pad(self.mean(x), self.zeros) + self.skip(self.correction(x))
        return out


def doubled(kind: Layers, here: int, there: int, stride: Edges) -> nn.Sequential:
    """Make the correction of two 3 x 3 convolutions."""
    first, second = conv_norm(kind, here, there, 3, stride), conv_norm(kind, there, there, 3)
    return nn.Sequential(kind.norm(here), *first, kind.act(), *second)


def narrowed(kind: Layers, here: int, within: int, stride: Edges) -> nn.Sequential:
    """Make the correction of a 3 x 3 convolution between two of 1 x 1."""
    narrow, middle = conv_norm(kind, here, within, 1), conv_norm(kind, within, within, 3, stride)
    widen = conv_norm(kind, within, 4 * within, 1)
    return nn.Sequential(kind.norm(here), *narrow, kind.act(), *middle, kind.act(), *widen)


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    depth: int,
    alpha: int,
    width: int = 16,
    repeats: int | None = None,
) -> PyramidNet:
    """Build a PyramidNet for a size: strides are dropped under 12 samples.

    Every stage may have `repeats` blocks instead of those of its depth.
    """
    if depth not in DEPTHS:
        raise SettingError(f"PyramidNet has the depths {sorted(DEPTHS)}, not {depth!r}")
    each = DEPTHS[depth] if repeats is None else repeats
    strides = kept_strides(size, STRIDES)
    return PyramidNet(dims, channels, alpha, each, depth not in BASIC, width, strides, style)
