"""Depthwise separable convolution: every map is filtered by itself, then all are mixed by 1 x 1.

It costs about a ninth of a full 3 x 3 convolution, a twenty-seventh of a 3 x 3 x 3. The families
that are made of it differ in what stands between the two halves, and can all be thinned by one
factor on their channels.

Source: Sifre. Rigid-Motion Scattering for Image Classification. Ph.D. thesis, 2014, section 6.2.
Howard et al. MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications.
2017, section 3.
"""

from torch import nn

from medclf.errors import SettingError
from medclf.net.nd import Edges, Layers, conv_norm

UNIT = 8  # every width is a multiple of it, as in the published networks


def separable(
    kind: Layers, here: int, there: int, stride: Edges = 1, acts: bool = True
) -> nn.Sequential:
    """Make a separable 3 x 3 convolution with its norm; an activation after it is the caller's.

    Args:
        kind: The layers to choose from.
        here: Channels that come in.
        there: Channels that go out.
        stride: Of the depthwise half.
        acts: Whether norm and activation stand between the halves, as in MobileNet; Xception
            found that it learns better without.
    """
    mix = conv_norm(kind, here, there, 1)
    if acts:
        return nn.Sequential(*depthwise(kind, here, 3, stride), *mix)
    alone = kind.conv(here, here, 3, stride, padding=1, groups=here, bias=False)
    return nn.Sequential(alone, *mix)


def depthwise(
    kind: Layers, channels: int, kernel: int, stride: Edges = 1, padding: Edges | None = None
) -> nn.Sequential:
    """Make a convolution that filters every map by itself, with norm and activation."""
    made = conv_norm(kind, channels, channels, kernel, stride, padding, groups=channels)
    return made.append(kind.act())


def thin(channels: int, width: float) -> int:
    """Multiply channels by the width of a network, to the nearest multiple of 8, at least 8.

    Raises:
        SettingError: the width is not above 0.

    Example:
        >>> [thin(728, width) for width in (1, 0.5, 0.001)]
        [728, 368, 8]
    """
    if not width > 0:
        raise SettingError(f"width is a factor above 0, not {width!r}")
    return max(UNIT, int(channels * width / UNIT + 0.5) * UNIT)
