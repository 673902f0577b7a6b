"""ZFNet: AlexNet with a finer first layer, found by looking at what its layers see.

Pictures of AlexNet's first two layers, projected back to pixels, showed dead filters and aliasing:
so the first kernel became 7 with stride 2 for 11 with stride 4, the second strides too, and there
is one tower. Pools round up, which the maps of figure 3 (110, 55, 26, 13, 6) ask for.

Source: Zeiler, Fergus. Visualizing and Understanding Convolutional Networks. ECCV 2014, figure 3.
The paper gives no numbers for its contrast normalisation: they are those of AlexNet.
"""

from collections.abc import Sequence

from torch import nn

from medclf.net.body import Body, Dense
from medclf.net.family.alexnet import PLAIN, SHORTEST, ResponseNorm, layer, strided
from medclf.net.nd import Edges, kept_strides, layers, spread
from medclf.net.separable import thin
from medclf.net.style import Style

WIDTHS = (96, 256, 384, 384, 256)
STRIDES = (2, 2, 2, 2, 2)  # of convolution 1, its pool, convolution 2, its pool, the last pool


class ZFNet(Body):
    """Body of ZFNet.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        width: Factor on the channels of every layer, which become multiples of 8.
        strides: Of the first convolution, its pool, the second, its pool, and the last pool. Where
            the first is 1 its kernel is 3 for 7, and a pool of stride 1 is left out.
        style: Norm and activation; a norm takes the place of the contrast normalisation.

    Shape:
        (B, channels, *space) -> (B, 256 * width, *space'), 6 for 224 with the paper's strides

    Raises:
        SettingError: the width is not above 0, or `dims` is neither 2 nor 3.
    """

    dense = Dense(6, (4096, 4096), dropout=0.5)

    def __init__(
        self,
        dims: int,
        channels: int,
        width: float = 1.0,
        strides: Sequence[Edges] = STRIDES,
        style: Style = PLAIN,
    ) -> None:
        kind = layers(dims, style)
        steps = [spread(stride, dims) for stride in strides]
        one, two, three, four, five = (thin(wide, width) for wide in WIDTHS)
        pools = [kind.shrink(3, steps[place], ceil=True) for place in (1, 3, 4)]
        norms = [nn.Identity() if style.normed else ResponseNorm(dims, wide) for wide in (one, two)]
        first = strided(kind, channels, one, 7, steps[0], zeros=1)
        second = strided(kind, one, two, 5, steps[2], zeros=0, small=5)
        stages = {
            "conv1": nn.Sequential(*first, kind.act()),
            "pool1": nn.Sequential(pools[0], norms[0]),
            "conv2": nn.Sequential(*second, kind.act()),
            "pool2": nn.Sequential(pools[1], norms[1]),
            "conv3": layer(kind, two, three, 3),
            "conv4": layer(kind, three, four, 3),
            "conv5": layer(kind, four, five, 3),
            "pool5": pools[2],
        }
        super().__init__(dims, stages, features=five)


def build(dims: int, channels: int, size: Sequence[int], style: Style, width: float = 1.0) -> ZFNet:
    """Build ZFNet for a size: its first strides are dropped where the input is too small."""
    return ZFNet(dims, channels, width, kept_strides(size, STRIDES, SHORTEST), style)
