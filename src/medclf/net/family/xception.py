"""Xception: an Inception taken to its extreme, so that each channel has a tower of its own.

Twelve residual blocks of separable convolutions, each preceded by its activation, lie between two
plain convolutions and two separable ones. Between the halves of a separable convolution stands
nothing, which the paper found better than an activation.

Source: Chollet. Xception: Deep Learning with Depthwise Separable Convolutions. CVPR 2017 (first
2016), figure 5.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import pad

from medclf.net.body import Body
from medclf.net.nd import Edges, Layers, conv_norm, kept_strides, layers, spread
from medclf.net.separable import separable, thin
from medclf.net.style import Style

STEM, ENTRY, MIDDLE, LAST, EXIT = (32, 64), (128, 256, 728), 8, 1024, (1536, 2048)
STRIDES = (2, 2, 2, 2, 2)  # of the first convolution, the blocks of the entry, and that of the exit
BLOCKS = len(ENTRY) + MIDDLE + 1


class Xception(Body):
    """Body of Xception.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        width: Factor on the channels of every layer, which become multiples of 8.
        strides: Of the first convolution, the three blocks of the entry flow and the block of the
            exit flow. The first two convolutions cut the edges of the map; along an axis whose
            first stride is 1, two zeros on either side make up for it.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, 2048 * width, *ceil(space / 32)), give or take one, with the
        strides of the paper

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
        kind = layers(dims, style)
        first, *steps = (spread(stride, dims) for stride in strides)
        near, here = (thin(n, width) for n in STEM)
        stages: dict[str, nn.Module] = {
            "stem": nn.Sequential(
                Margin([2 if step == 1 else 0 for step in first]),
                *conv_norm(kind, channels, near, 3, first, 0),
                kind.act(),
                *conv_norm(kind, near, here, 3, 1, 0),
                kind.act(),
            )
        }
        skips = [kind.drop_path(place, BLOCKS) for place in range(1, BLOCKS + 1)]
        for n, there in enumerate(thin(n, width) for n in ENTRY):
            block = Block(kind, here, (there, there), steps[n], skips[n], acts=n > 0)
            stages[f"entry{n + 1}"], here = block, there
        middle = [Block(kind, here, (here,) * 3, 1, skip) for skip in skips[len(ENTRY) : -1]]
        wide = [thin(n, width) for n in (LAST, *EXIT)]
        end = nn.Sequential(Block(kind, here, (here, wide[0]), steps[-1], skips[-1]))
        for here, there in pairwise(wide):
            end.extend([*separable(kind, here, there, acts=False), kind.act()])
        stages |= {"middle": nn.Sequential(*middle), "exit": end}
        super().__init__(dims, stages, features=wide[-1])


class Block(nn.Module):
    """Separable convolutions, pooled where they halve the map, beside a shortcut.

    Args:
        kind: The layers to choose from.
        here: Channels that come in.
        widths: Channels that each convolution gives.
        stride: Of the pool and the shortcut.
        skip: Stochastic depth.
        acts: Whether an activation leads; the first block follows one already.
    """

    def __init__(
        self,
        kind: Layers,
        here: int,
        widths: Sequence[int],
        stride: Edges,
        skip: nn.Module,
        acts: bool = True,
    ) -> None:
        super().__init__()
        first, there, steps = here, widths[-1], spread(stride, kind.dims)
        parts: list[nn.Module] = []
        for wide in widths:
            parts += [kind.act(), *separable(kind, here, wide, acts=False)]
            here = wide
        self.correction = nn.Sequential(*parts[0 if acts else 1 :])
        self.pool = kind.shrink(3, steps, padding=1)
        same = max(steps) == 1 and first == there
        self.shortcut = nn.Identity() if same else conv_norm(kind, first, there, 1, stride)
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.shortcut(x) + self.skip(self.pool(self.correction(x)))
        return out


class Margin(nn.Module):
    """Lay zeros about a map: so many on either side of each axis."""

    def __init__(self, sides: Sequence[int]) -> None:
        super().__init__()
        self.sides = [side for side in reversed(sides) for _ in range(2)]

    def forward(self, x: Tensor) -> Tensor:
        return pad(x, self.sides) if any(self.sides) else x


def build(
    dims: int, channels: int, size: Sequence[int], style: Style, width: float = 1.0
) -> Xception:
    """Build Xception for a size: its first strides are dropped where the input is too small."""
    return Xception(dims, channels, width, kept_strides(size, STRIDES), style)


def _rules_of_block(block: str, first: int, count: int) -> Iterator[tuple[str, str]]:
    for n in range(count):
        theirs, ours = 3 * n + first, 4 * n + first
        yield rf"({block})\.rep\.{theirs}\.conv1\.", rf"\1.correction.{ours}."
        yield rf"({block})\.rep\.{theirs}\.pointwise\.", rf"\1.correction.{ours + 1}."
        yield rf"({block})\.rep\.{theirs + 1}\.", rf"\1.correction.{ours + 2}."


# What each pattern in their names becomes in a `Classifier`, in this order. In their blocks both
# halves of a separable convolution are one part, and the first block has no activation in front.
TIMM = (
    (r"^conv1\.", "body.stem.1."),
    (r"^bn1\.", "body.stem.2."),
    (r"^conv2\.", "body.stem.4."),
    (r"^bn2\.", "body.stem.5."),
    (r"^conv3\.conv1\.", "body.exit.1."),
    (r"^conv3\.pointwise\.", "body.exit.2."),
    (r"^bn3\.", "body.exit.3."),
    (r"^conv4\.conv1\.", "body.exit.5."),
    (r"^conv4\.pointwise\.", "body.exit.6."),
    (r"^bn4\.", "body.exit.7."),
    (r"^fc\.", "linear."),
    *_rules_of_block("^block1", 0, 2),
    *_rules_of_block("", 1, 3),
    (r"\.skip\.", ".shortcut.0."),
    (r"\.skipbn\.", ".shortcut.1."),
    *((rf"^block{n}\.", f"body.entry{n}.") for n in (1, 2, 3)),
    *((rf"^block{n}\.", f"body.middle.{n - 4}.") for n in range(4, 12)),
    (r"^block12\.", "body.exit.0."),
)
