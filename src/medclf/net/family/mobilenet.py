"""MobileNet v1: nothing but depthwise separable convolutions after the first, for small devices.

Norm and activation follow both halves of each. One factor, the width, thins all layers alike, and
with it the weights and the products fall by its square.

Source: Howard et al. MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications. 2017, tables 1, 6 and 7. The last depthwise layer, which table 1 gives a stride of 2
and yet a map of 7 x 7 in and out, has a stride of 1, as everyone trains it.
"""

from collections.abc import Sequence

from torch import nn

from medclf.net.body import Body
from medclf.net.nd import Edges, conv_norm, kept_strides, layers
from medclf.net.separable import separable, thin
from medclf.net.style import Style

FIRST = 32
STAGES = ((64,), (128, 128), (256, 256), (512,) * 6, (1024, 1024))
STRIDES = (2, 2, 2, 2, 2)  # of the first convolution, and of the second stage and later ones


class MobileNet(Body):
    """Body of MobileNet v1.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        width: Factor on the channels of every layer, which become multiples of 8. The paper trains
            1, 0.75, 0.5 and 0.25.
        strides: Of the first convolution and the last four stages.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, 1024 * width, *ceil(space / 32)), with the paper's strides

    Raises:
        SettingError: the width is not above 0, or `dims` is neither 2 nor 3.
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        width: float = 1.0,
        strides: Sequence[Edges] = STRIDES,
        style: Style = Style(),
    ) -> None:
        kind, here = layers(dims, style), thin(FIRST, width)
        first, *steps = strides
        opening = conv_norm(kind, channels, here, 3, first)
        stages = {"stem": nn.Sequential(*opening, kind.act())}
        for number, (wide, step) in enumerate(zip(STAGES, [1, *steps], strict=True)):
            stage = nn.Sequential()
            for i, there in enumerate(thin(n, width) for n in wide):
                block = separable(kind, here, there, step if i == 0 else 1)
                stage.append(block.append(kind.act()))
                here = there
            stages[f"stage{number + 1}"] = stage
        super().__init__(dims, stages, features=here)


def build(
    dims: int, channels: int, size: Sequence[int], style: Style, width: float = 1.0
) -> MobileNet:
    """Build MobileNet for a size: its first strides are dropped where the input is too small."""
    return MobileNet(dims, channels, width, kept_strides(size, STRIDES), style)


# What each pattern in their names becomes in a `Classifier`, in this order.
TIMM = (
    (r"^conv_stem\.", "body.stem.0."),
    (r"^bn1\.", "body.stem.1."),
    (r"^classifier\.", "linear."),
    *((rf"^blocks\.{n}\.", f"body.stage{n + 1}.") for n in range(len(STAGES))),
    (r"\.conv_dw\.", ".0."),
    (r"\.bn1\.", ".1."),
    (r"\.conv_pw\.", ".3."),
    (r"\.bn2\.", ".4."),
)
