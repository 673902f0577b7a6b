"""VGG: nothing but 3 x 3 convolutions and pools, and deeper than any network before.

Two 3 x 3 convolutions see as far as one of 5 x 5, with fewer weights and one activation more.
Convolutions keep their biases where a norm follows, idle as they are there: so do the published
weights of the later form with batch norm.

Source: Simonyan, Zisserman. Very Deep Convolutional Networks for Large-Scale Image Recognition.
ICLR 2015, table 1 A, B, D and E.
"""

from collections.abc import Sequence

from torch import nn

from medclf.errors import SettingError
from medclf.net.body import Body, Dense
from medclf.net.nd import Edges, Layers, kept_strides, layers, spread
from medclf.net.style import Style

PLAIN = Style(norm="plain")
STAGES = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
WIDTHS = (1, 2, 4, 8, 8)  # of each stage, as multiples of the first
STRIDES = (2, 2, 2, 2, 2)  # of the pool after each stage


class VGG(Body):
    """Body of a VGG network.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        depth: 11, 13, 16 or 19, counted as the paper counts, with its three dense layers.
        width: Channels of the first stage, up to 8 times as many in the last.
        strides: Of the five pools. A pool of stride 1 is left out.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, 8 * width, *(space // 32)), with the strides of the paper

    Raises:
        SettingError: the paper has no such depth, or `dims` is neither 2 nor 3.
    """

    dense = Dense(7, (4096, 4096), dropout=0.5)

    def __init__(
        self,
        dims: int,
        channels: int,
        depth: int = 16,
        width: int = 64,
        strides: Sequence[Edges] = STRIDES,
        style: Style = PLAIN,
    ) -> None:
        if depth not in STAGES:
            raise SettingError(f"VGG has the depths {sorted(STAGES)}, not {depth!r}")
        kind = layers(dims, style)
        stages: dict[str, nn.Module] = {}
        here = channels
        for number, repeats in enumerate(STAGES[depth]):
            there = width * WIDTHS[number]
            stage = nn.Sequential()
            for _ in range(repeats):
                stage.extend(_conv(kind, here, there))
                here = there
            stages[f"conv{number + 1}"] = stage
            stages[f"pool{number + 1}"] = kind.shrink(2, spread(strides[number], dims))
        super().__init__(dims, stages, features=here)


def _conv(kind: Layers, here: int, there: int) -> list[nn.Module]:
    return [kind.conv(here, there, 3, padding=1), kind.norm(there), kind.act()]


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    depth: int,
    width: int = 64,
) -> VGG:
    """Build a VGG for a size: its first pools are left out where the input is too small."""
    return VGG(dims, channels, depth, width, kept_strides(size, STRIDES), style)


def _torchvision(depth: int, normed: bool) -> tuple[tuple[str, str], ...]:
    """Name the layers that torchvision numbers through; the numbers hang on depth and norm."""
    rules, place = [], 0
    for number, repeats in enumerate(STAGES[depth], start=1):
        for i in range(repeats):
            rules.append((rf"^features\.{place}\.", f"body.conv{number}.{3 * i}."))
            if normed:
                rules.append((rf"^features\.{place + 1}\.", f"body.conv{number}.{3 * i + 1}."))
            place += 3 if normed else 2
        place += 1  # the pool
    dense = {"0": "hidden.layers.2.", "3": "hidden.layers.5.", "6": "linear."}
    return (*rules, *((rf"^classifier\.{theirs}\.", ours) for theirs, ours in dense.items()))


TORCHVISION = {
    f"vgg{depth}{'_bn' if normed else ''}": _torchvision(depth, normed)
    for depth in STAGES
    for normed in (False, True)
}
