"""Residual networks: a block adds a correction to its input, so added depth does no harm.

Depths 18 and 34 add two 3 x 3 convolutions a block; 50, 101 and 152 a bottleneck of 1 x 1, 3 x 3
and 1 x 1, whose stride lies in the 3 x 3 as everyone trains it today (the paper: in the first).

Source: He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition. CVPR 2016, table 1. The
small stem: section 4.2, and Yang et al. MedMNIST v2. Scientific Data 2023.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.nd import Edges, Layers, conv_norm, kept_strides, layers, spread
from medclf.net.style import Style

STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
STRIDES = (2, 2, 1, 2, 2, 2)  # of the first convolution, the pool, and the four stages


class ResNet(Body):
    """Body of a residual network.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input: 1 for CT, 3 for dermoscopy, one per MR sequence.
        depth: 18, 34, 50, 101 or 152, counted as the paper counts.
        width: Channels of the first stage. Each later stage doubles them.
        strides: Of the first convolution, the pool and the four stages. Where the first is 1 its
            kernel is 3 for 7, and where the second is 1 there is no pool: with both, the published
            network of MedMNIST at 28 pixels.
        style: Norm and activation.
        widen: How many times wider than in the paper a block is within.

    Shape:
        (B, channels, *space) -> (B, features, *ceil(space / 32)), with the strides of the paper

    Raises:
        SettingError: the paper has no such depth, or `dims` is neither 2 nor 3.
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        depth: int = 18,
        width: int = 64,
        strides: Sequence[Edges] = STRIDES,
        style: Style = Style(),
        widen: int = 1,
    ) -> None:
        if depth not in STAGES:
            raise SettingError(f"ResNet has the depths {sorted(STAGES)}, not {depth!r}")
        kind = layers(dims, style)
        first, pool, *steps = (spread(stride, dims) for stride in strides)
        opening = conv_norm(kind, channels, width, kind.stem(7, first), first)
        stages: dict[str, nn.Module] = {
            "stem": nn.Sequential(*opening, kind.act()),
            "pool": kind.shrink(3, pool, padding=1),
        }
        block = Residual if depth < 50 else Bottleneck
        here, place, count = width, 0, sum(STAGES[depth])
        for number, repeats in enumerate(STAGES[depth]):
            there = width * 2**number
            stage = nn.Sequential()
            for i in range(repeats):
                place += 1
                skip, step = kind.drop_path(place, count), steps[number] if i == 0 else 1
                stage.append(block(kind, here, there, step, skip, widen * there))
                here = there * block.expansion
            stages[f"stage{number + 1}"] = stage
        super().__init__(dims, stages, features=here)


class Residual(nn.Module):
    """Two convolutions beside a shortcut. The shortcut convolves only where the shape changes."""

    expansion = 1

    def __init__(
        self, kind: Layers, here: int, there: int, stride: Edges, skip: nn.Module, within: int
    ) -> None:
        super().__init__()
        first, second = conv_norm(kind, here, within, 3, stride), conv_norm(kind, within, there, 3)
        self.correction = nn.Sequential(*first, kind.act(), *second)
        self.shortcut = shortcut(kind, here, there, stride)
        self.skip, self.act = skip, kind.act()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.shortcut(x) + self.skip(self.correction(x)))
        return out


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between two of 1 x 1, which narrow before it and widen after it."""

    expansion = 4

    def __init__(
        self, kind: Layers, here: int, there: int, stride: Edges, skip: nn.Module, within: int
    ) -> None:
        super().__init__()
        wide = there * self.expansion
        narrow, widen = conv_norm(kind, here, within, 1), conv_norm(kind, within, wide, 1)
        middle = conv_norm(kind, within, within, 3, stride)
        self.correction = nn.Sequential(*narrow, kind.act(), *middle, kind.act(), *widen)
        self.shortcut = shortcut(kind, here, wide, stride)
        self.skip, self.act = skip, kind.act()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.shortcut(x) + self.skip(self.correction(x)))
        return out


def shortcut(kind: Layers, here: int, there: int, stride: Edges) -> nn.Module:
    """Make the way past a block: nothing, or a 1 x 1 convolution where the shape changes."""
    same = max(spread(stride, kind.dims)) == 1 and here == there
    return nn.Identity() if same else conv_norm(kind, here, there, 1, stride)


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    depth: int,
    width: int = 64,
) -> ResNet:
    """Build a ResNet for a size: its first strides are dropped where the input is too small."""
    return ResNet(dims, channels, depth, width, kept_strides(size, STRIDES), style)


# What each pattern in their names becomes in a `Classifier`, in this order.
TORCHVISION = (
    (r"^conv1\.", "body.stem.0."),
    (r"^bn1\.", "body.stem.1."),
    (r"^fc\.", "linear."),
    (r"^layer(\d)\.", r"body.stage\1."),
    (r"\.conv1\.", ".correction.0."),
    (r"\.bn1\.", ".correction.1."),
    (r"\.conv2\.", ".correction.3."),
    (r"\.bn2\.", ".correction.4."),
    (r"\.conv3\.", ".correction.6."),
    (r"\.bn3\.", ".correction.7."),
    (r"\.downsample\.", ".shortcut."),
)
TIMM = TORCHVISION
