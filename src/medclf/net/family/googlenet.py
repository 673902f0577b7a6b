"""GoogLeNet, also Inception v1: each module looks at its map at several scales at once.

1 x 1 convolutions narrow the map before the larger ones, so that depth and width stay cheap. In
training two auxiliary heads judge the maps of modules 4a and 4d. As in the weights that everyone
uses, batch norm stands in for the response normalisation of the paper, and 3 x 3 for its 5 x 5.

Source: Szegedy et al. Going Deeper with Convolutions. CVPR 2015, table 1; section 5 for the heads.
"""

from collections.abc import Sequence
from functools import partial

from torch import nn

from medclf.net.body import Body
from medclf.net.branch import Branches, Conv, Ways, chain
from medclf.net.nd import Edges, kept_strides, layers, spread
from medclf.net.style import Style

STYLE = Style(epsilon=1e-3)
STRIDES = (2, 2, 2, 2, 2)  # of the first convolution and the four pools

# Table 1: 1 x 1; 3 x 3, narrowed before it; 5 x 5, narrowed before it; behind the pool.
MODULES = {
    "inception3a": (64, 96, 128, 16, 32, 32),
    "inception3b": (128, 128, 192, 32, 96, 64),
    "inception4a": (192, 96, 208, 16, 48, 64),
    "inception4b": (160, 112, 224, 24, 64, 64),
    "inception4c": (128, 128, 256, 24, 64, 64),
    "inception4d": (112, 144, 288, 32, 64, 64),
    "inception4e": (256, 160, 320, 32, 128, 128),
    "inception5a": (256, 160, 320, 32, 128, 128),
    "inception5b": (384, 192, 384, 48, 128, 128),
}
HEADS = ("inception4a", "inception4d")
CELLS = 4  # along each axis of what an auxiliary head looks at
DROPPED = 0.7


class GoogLeNet(Body):
    """Body of GoogLeNet.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        width: Factor on the channels of every layer, which become multiples of 8.
        large: Edge of the third way's kernel: 5 in the paper, 3 in the published weights.
        strides: Of the first convolution and the four pools.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, 1024, *space // 32), for `space` a multiple of 32
    """

    auxiliary_share = 0.3

    def __init__(
        self,
        dims: int,
        channels: int,
        width: float = 1.0,
        large: int = 3,
        strides: Sequence[Edges] = STRIDES,
        style: Style = STYLE,
    ) -> None:
        kind = layers(dims, style)
        make = Ways(kind, width)
        first, *pools = (spread(stride, dims) for stride in strides)
        conv1 = make.way(channels, Conv(64, kind.stem(7, first), first))
        conv2 = make.way(conv1.features, Conv(64), Conv(192, 3))
        plan = {name: partial(inception, row=row, large=large) for name, row in MODULES.items()}
        modules, features = chain(make, conv2.features, plan)
        stages: dict[str, nn.Module] = {"conv1": conv1}
        stages["pool1"] = kind.shrink(3, pools[0], ceil=True)
        stages["conv2"] = conv2
        stages["pool2"] = kind.shrink(3, pools[1], ceil=True)
        for name, module in modules.items():
            if name == "inception4a":
                stages["pool3"] = kind.shrink(3, pools[2], ceil=True)
            if name == "inception5a":
                stages["pool4"] = kind.shrink(2, pools[3], ceil=True)
            stages[name] = module
        super().__init__(dims, stages, features)
        self.make = make
        self.reaching = {name: modules[name].features for name in HEADS}

    def auxiliary(self, outputs: int) -> dict[str, nn.Module]:
        """Make the heads of modules 4a and 4d."""
        return {name: self._head(here, outputs) for name, here in self.reaching.items()}

    def _head(self, here: int, outputs: int) -> nn.Sequential:
        kind, narrow = self.make.kind, self.make.way(here, Conv(128))
        cells, hidden = narrow.features * CELLS**self.dims, self.make.count(1024)
        return nn.Sequential(
            kind.adaptive_avg_pool(CELLS),
            *narrow,
            nn.Flatten(),
            nn.Linear(cells, hidden),
            kind.act(),
            nn.Dropout(DROPPED),
            nn.Linear(hidden, outputs),
        )


def inception(make: Ways, here: int, row: Sequence[int], large: int) -> Branches:
    """Make a module of figure 2b, from its row of table 1."""
    one, narrow3, wide3, narrow5, wide5, pooled = row
    return Branches(
        make.way(here, Conv(one)),
        make.way(here, Conv(narrow3), Conv(wide3, 3)),
        make.way(here, Conv(narrow5), Conv(wide5, large)),
        make.way(here, Conv(pooled), pool=make.kind.max_pool(3, 1, 1)),
    )


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    width: float = 1.0,
    large: int = 3,
) -> GoogLeNet:
    """Build GoogLeNet for a size: its first strides are dropped where the input is too small."""
    return GoogLeNet(dims, channels, width, large, kept_strides(size, STRIDES), style)


# Names of torchvision's weights, which want intensities from -1 to 1.
TORCHVISION = (
    (r"^conv([12])\.", r"body.conv\1.0."),
    (r"^conv3\.", "body.conv2.1."),
    (r"^inception", "body.inception"),
    (r"\.branch1\.", ".0.0."),
    (r"\.branch2\.", ".1."),
    (r"\.branch3\.", ".2."),
    (r"\.branch4\.", ".3."),
    (r"^aux1\.", "auxiliary.inception4a."),
    (r"^aux2\.", "auxiliary.inception4d."),
    (r"^(auxiliary\.\w+)\.conv\.", r"\1.1."),
    (r"\.fc1\.", ".3."),
    (r"\.fc2\.", ".6."),
    (r"\.conv\.", ".0."),
    (r"\.bn\.", ".1."),
    (r"^fc\.", "linear."),
)
