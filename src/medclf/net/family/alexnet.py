"""AlexNet: five convolutions, the first of large kernel and stride, and two wide dense layers.

The form of 2012 has two towers, as its halves ran on two devices: convolutions 2, 4 and 5 see only
their own half, and maps at one place compete in a response norm. The form of 2014, which
torchvision has, is one tower without that norm, .2 % more weights.

Source: Krizhevsky, Sutskever, Hinton. ImageNet Classification with Deep Convolutional Neural
Networks. NeurIPS 2012, sections 3.3 and 3.5. Krizhevsky. One Weird Trick for Parallelizing
Convolutional Neural Networks. 2014.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.net.body import Body, Dense
from medclf.net.nd import Edges, Layers, conv_norm, kept_strides, layers, spread
from medclf.net.separable import thin
from medclf.net.style import Style

PLAIN = Style(norm="plain")
WIDTHS = {1: (64, 192, 384, 256, 256), 2: (96, 256, 384, 384, 256)}  # by the number of towers
STRIDES = (4, 2, 2, 2)  # of the first convolution and the three pools
SHORTEST = 4  # of which pools without padding lose one: 3 samples are left


class AlexNet(Body):
    """Body of AlexNet.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        towers: 1 as in 2014, or 2 as in 2012, with a response norm where `style` has no norm.
        width: Factor on the channels of every layer, which become multiples of 8.
        strides: Of the first convolution and the three pools. Where the first is 1 its kernel is 3
            for 11, and a pool of stride 1 is left out.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, 256 * width, *space'), 6 for 224 with the paper's strides

    Raises:
        SettingError: there are neither 1 nor 2 towers, the width is not above 0, or `dims` is
            neither 2 nor 3.
    """

    dense = Dense(6, (4096, 4096), dropout=0.5)

    def __init__(
        self,
        dims: int,
        channels: int,
        towers: int = 1,
        width: float = 1.0,
        strides: Sequence[Edges] = STRIDES,
        style: Style = PLAIN,
    ) -> None:
        if towers not in WIDTHS:
            raise SettingError(f"AlexNet has 1 or 2 towers, not {towers!r}")
        kind = layers(dims, style)
        steps, *pools = (spread(stride, dims) for stride in strides)
        one, two, three, four, five = (thin(wide, width) for wide in WIDTHS[towers])
        first = nn.Sequential(*strided(kind, channels, one, 11, steps, zeros=2), kind.act())
        second = layer(kind, one, two, 5, towers)
        if towers == 2 and not style.normed:
            first.append(ResponseNorm(dims, one))
            second.append(ResponseNorm(dims, two))
        stages = {
            "conv1": first,
            "pool1": kind.shrink(3, pools[0]),
            "conv2": second,
            "pool2": kind.shrink(3, pools[1]),
            "conv3": layer(kind, two, three, 3),
            "conv4": layer(kind, three, four, 3, towers),
            "conv5": layer(kind, four, five, 3, towers),
            "pool5": kind.shrink(3, pools[2]),
        }
        super().__init__(dims, stages, features=five)


class ResponseNorm(nn.Module):
    """Divide each number by what the five maps about it have at its place.

    With k = 2, alpha = 1e-4 and beta = 3/4 of the paper; the neighbours are summed by a 1 x 1
    convolution with a band of ones, which runs in any precision and number of axes.

    Args:
        dims: 2 or 3.
        channels: Of the map.
    """

    def __init__(self, dims: int, channels: int) -> None:
        super().__init__()
        band = torch.ones(channels, channels).tril(2).triu(-2)
        self.register_buffer("band", band.view(*band.shape, *(1,) * dims), persistent=False)
        self.band: Tensor
        self.convolve = layers(dims).convolve

    def forward(self, x: Tensor) -> Tensor:
        root = (2 + 1e-4 * self.convolve(x.square(), self.band)).rsqrt()
        return x * (root * root.sqrt())


def layer(kind: Layers, here: int, there: int, edge: int, groups: int = 1) -> nn.Sequential:
    """Make a convolution that keeps the length, its norm and its activation."""
    return nn.Sequential(*conv_norm(kind, here, there, edge, groups=groups), kind.act())


def strided(
    kind: Layers,
    here: int,
    there: int,
    edge: int,
    steps: Sequence[int],
    zeros: int,
    small: int = 3,
) -> nn.Sequential:
    """Make a convolution and norm with a stride that may be dropped, axis by axis.

    Args:
        kind: The layers to choose from.
        here: Channels that come in.
        there: Channels that go out.
        edge: Of the kernel along axes that it strides over.
        steps: One per axis.
        zeros: Padding of the paper, along axes that it strides over.
        small: Edge of the kernel along the other axes, whose length it keeps.
    """
    kernel = kind.stem(edge, steps, small)
    around = [zeros if step > 1 else small // 2 for step in steps]
    if kind.axes < kind.dims and min(steps) == 1:
        # One plane lies along axes of both kinds, so the large kernel must fit the short one.
        return conv_norm(kind, here, there, kernel, steps)
    return conv_norm(kind, here, there, kernel, steps, around[: kind.axes])


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    towers: int,
    width: float = 1.0,
) -> AlexNet:
    """Build AlexNet for a size: its first strides are dropped where the input is too small."""
    return AlexNet(dims, channels, towers, width, kept_strides(size, STRIDES, SHORTEST), style)


TORCHVISION = (
    (r"^features\.0\.", "body.conv1.0."),
    (r"^features\.3\.", "body.conv2.0."),
    (r"^features\.6\.", "body.conv3.0."),
    (r"^features\.8\.", "body.conv4.0."),
    (r"^features\.10\.", "body.conv5.0."),
    (r"^classifier\.1\.", "hidden.layers.2."),
    (r"^classifier\.4\.", "hidden.layers.5."),
    (r"^classifier\.6\.", "linear."),
)
