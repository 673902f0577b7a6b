"""Residual networks: a block adds a correction to its input, so added depth does no harm.

Depths 18 and 34 add two 3 x 3 convolutions a block; 50, 101 and 152 a bottleneck of 1 x 1, 3 x 3
and 1 x 1, whose stride lies in the 3 x 3 as everyone trains it today (the paper: in the first).

Source: He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition. CVPR 2016, table 1. The
small stem: section 4.2, and Yang et al. MedMNIST v2. Scientific Data 2023.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.net.nd import conv_norm, layers

STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
STEMS = ("large", "small")
SMALL_EDGE = 64


class ResNet(nn.Module):
    """Body of a residual network.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input: 1 for CT, 3 for dermoscopy, one per MR sequence.
        depth: 18, 34, 50, 101 or 152, counted as the paper counts.
        stem: "large" opens with 7 x 7 of stride 2 and a max-pool of stride 2, for inputs of 64
            samples and more; "small" opens with 3 x 3 of stride 1 and no pool, as the published
            networks of MedMNIST at 28 pixels.
        width: Channels of the first stage. Each later stage doubles them.

    Shape:
        (B, channels, *space) -> (B, features, *ceil(space / 32)), or ceil(space / 8) if small

    Raises:
        SettingError: the paper has no such depth, there is no such stem, or `dims` is neither 2
            nor 3.
    """

    def __init__(
        self, dims: int, channels: int, depth: int = 18, stem: str = "large", width: int = 64
    ) -> None:
        super().__init__()
        if depth not in STAGES:
            raise SettingError(f"ResNet has the depths {sorted(STAGES)}, not {depth!r}")
        if stem not in STEMS:
            raise SettingError(f"the stem of a ResNet is {' or '.join(STEMS)}, not {stem!r}")
        if stem == "large":
            pool = layers(dims).max_pool(3, stride=2, padding=1)
            self.stem = nn.Sequential(conv_norm(dims, channels, width, 7, 2), nn.ReLU(), pool)
        else:
            self.stem = nn.Sequential(conv_norm(dims, channels, width, 3), nn.ReLU())
        block = Residual if depth < 50 else Bottleneck
        self.blocks = nn.Sequential()
        here = width
        for stage, repeats in enumerate(STAGES[depth]):
            there = width * 2**stage
            for i in range(repeats):
                halves = stage > 0 and i == 0
                self.blocks.append(block(dims, here, there, stride=2 if halves else 1))
                here = there * block.expansion
        self.features = here

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.blocks(self.stem(x))
        return out


class Residual(nn.Module):
    """Two convolutions beside a shortcut. The shortcut convolves only where the shape changes."""

    expansion = 1

    def __init__(self, dims: int, here: int, there: int, stride: int) -> None:
        super().__init__()
        first, second = conv_norm(dims, here, there, 3, stride), conv_norm(dims, there, there, 3)
        self.correction = nn.Sequential(first, nn.ReLU(), second)
        self.shortcut = shortcut(dims, here, there, stride)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.shortcut(x) + self.correction(x)
        return out.relu_()


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between two of 1 x 1, which narrow before it and widen after it."""

    expansion = 4

    def __init__(self, dims: int, here: int, there: int, stride: int) -> None:
        super().__init__()
        narrow, middle = conv_norm(dims, here, there, 1), conv_norm(dims, there, there, 3, stride)
        widen = conv_norm(dims, there, there * self.expansion, 1)
        self.correction = nn.Sequential(narrow, nn.ReLU(), middle, nn.ReLU(), widen)
        self.shortcut = shortcut(dims, here, there * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.shortcut(x) + self.correction(x)
        return out.relu_()


def shortcut(dims: int, here: int, there: int, stride: int) -> nn.Module:
    """Make the way past a block: nothing, or a 1 x 1 convolution where the shape changes."""
    same = stride == 1 and here == there
    return nn.Identity() if same else conv_norm(dims, here, there, 1, stride)


def resnet(
    dims: int,
    channels: int,
    size: Sequence[int],
    depth: int,
    stem: str | None = None,
    width: int = 64,
) -> ResNet:
    """Build a ResNet for a size; its stem is small where every edge is under 64 samples.

    Example:
        >>> resnet(2, 1, (28, 28), depth=18).stem[0][0].kernel_size
        (3, 3)
    """
    if stem is None:
        stem = "small" if max(size) < SMALL_EDGE else "large"
    return ResNet(dims, channels, depth, stem, width)
