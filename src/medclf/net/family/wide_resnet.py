"""Wide residual networks: few wide blocks learn what many thin ones do, and train faster.

Two forms. The one for small images has norm and activation before each convolution, so that the
shortcut is never bent, and may drop samples between the two convolutions of a block. The one for
large images is `ResNet`, whose bottlenecks are twice as wide within.

Source: Zagoruyko, Komodakis. Wide Residual Networks. BMVC 2016, table 1 and section 2.4. Its order
of layers: He, Zhang, Ren, Sun. Identity Mappings in Deep Residual Networks. ECCV 2016, figure 4 e.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.family.resnet import STRIDES as FAR
from medclf.net.family.resnet import TIMM, TORCHVISION, ResNet
from medclf.net.nd import Edges, Layers, conv_norm, kept_strides, layers, spread
from medclf.net.style import Style

__all__ = ["TIMM", "TORCHVISION", "WideResNet", "build"]  # the rules are those of `ResNet`

LARGE = (50, 101)  # depths of the form for large images
NEAR = (1, 2, 2)  # strides of the three stages for small images


class WideResNet(Body):
    """Body of a wide residual network for small images.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        depth: Convolutions in a row, those of three shortcuts counted: 6 n + 4.
        widen: How many times more channels than a residual network of 16, 32 and 64.
        width: Channels of the first convolution.
        strides: Of the three stages.
        style: Norm and activation.
        inner_dropout: Share of samples dropped within a block in training.

    Shape:
        (B, channels, *space) -> (B, 4 * width * widen, *ceil(space / 4))

    Raises:
        SettingError: the depth is not 6 n + 4, or `dims` is neither 2 nor 3.
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        depth: int = 28,
        widen: int = 10,
        width: int = 16,
        strides: Sequence[Edges] = NEAR,
        style: Style = Style(),
        inner_dropout: float = 0.0,
    ) -> None:
        repeats, rest = divmod(depth - 4, 6)
        if repeats < 1 or rest:
            raise SettingError(f"a wide ResNet has a depth of 6 n + 4, not {depth!r}")
        kind = layers(dims, style)
        stages: dict[str, nn.Module] = {"conv1": _conv(kind, channels, width, 3)}
        here, place, count = width, 0, 3 * repeats
        for number, stride in enumerate(strides):
            there = width * widen * 2**number
            stage = nn.Sequential()
            for i in range(repeats):
                place += 1
                skip, step = kind.drop_path(place, count), stride if i == 0 else 1
                stage.append(PreActivated(kind, here, there, step, skip, inner_dropout))
                here = there
            stages[f"conv{number + 2}"] = stage
        stages["last"] = nn.Sequential(kind.norm(here), kind.act())
        super().__init__(dims, stages, features=here)


class PreActivated(nn.Module):
    """Two convolutions, each after norm and activation, beside a shortcut.

    Where the shape changes, the shortcut convolves the map that the first activation gives.
    """

    def __init__(
        self,
        kind: Layers,
        here: int,
        there: int,
        stride: Edges,
        skip: nn.Module,
        dropout: float,
    ) -> None:
        super().__init__()
        self.start = nn.Sequential(kind.norm(here), kind.act())
        first, second = conv_norm(kind, here, there, 3, stride), _conv(kind, there, there, 3)
        self.correction = nn.Sequential(*first, kind.act(), kind.dropout(dropout), second)
        same = max(spread(stride, kind.dims)) == 1 and here == there
        self.shortcut = None if same else _conv(kind, here, there, 1, stride)
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        ready = self.start(x)
        passed = x if self.shortcut is None else self.shortcut(ready)
        out: Tensor = passed + self.skip(self.correction(ready))
        return out


def _conv(kind: Layers, here: int, there: int, edge: int, stride: Edges = 1) -> nn.Module:
    bias = not kind.style.normed
    return kind.conv(here, there, edge, stride, padding=edge // 2, bias=bias)


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    depth: int,
    widen: int,
    width: int | None = None,
    inner_dropout: float = 0.0,
) -> Body:
    """Build a wide ResNet for a size: its first strides are dropped where the input is too small.

    Depths of 50 and 101 are the form for large images, of bottlenecks, without inner dropout.
    """
    if depth in LARGE:
        return ResNet(dims, channels, depth, width or 64, kept_strides(size, FAR), style, widen)
    near = kept_strides(size, NEAR)
    return WideResNet(dims, channels, depth, widen, width or 16, near, style, inner_dropout)
