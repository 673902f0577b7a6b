"""Densely connected networks: every layer sees the maps of all layers before it, and adds a few.

A layer narrows what it sees to four times its growth by 1 x 1, then makes its new maps by 3 x 3;
a transition between blocks halves the channels and the map. Norm and activation come before each
convolution. There is a form of four blocks for large images, and one of three for small ones,
DenseNet-BC, whose first convolution is 3 x 3 and bare.

Source: Huang, Liu, van der Maaten, Weinberger. Densely Connected Convolutional Networks. CVPR 2017,
tables 1 and 2.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.nd import Edges, Layers, conv_norm, kept_strides, layers, spread
from medclf.net.style import Style

BLOCKS = {121: (6, 12, 24, 16), 161: (6, 12, 36, 24), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
STRIDES = (2, 2, 2, 2, 2)  # of the first convolution, the pool, and the transitions
NEAR = (1, 1, 2, 2)  # the same of DenseNet-BC
NARROW = 4  # channels within a layer, times its growth


class DenseNet(Body):
    """Body of a DenseNet.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        blocks: Layers of each block.
        growth: Channels that each layer adds. The first convolution makes twice as many.
        strides: Of the first convolution, the pool, and the transitions after each block but the
            last. Where one is 1 there is no pool, and the first kernel is 3 for 7.
        style: Norm and activation.
        inner_dropout: Share of the new samples of each layer dropped in training.

    Shape:
        (B, channels, *space) -> (B, features, *space // 32), DenseNet-BC: // 4

    Raises:
        SettingError: a block is empty, there is not a stride for each transition, or `dims` is
            neither 2 nor 3.
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        blocks: Sequence[int] = BLOCKS[121],
        growth: int = 32,
        strides: Sequence[Edges] = STRIDES,
        style: Style = Style(),
        inner_dropout: float = 0.0,
    ) -> None:
        if min(blocks) < 1 or growth < 1:
            found = f"{tuple(blocks)} and {growth!r}"
            raise SettingError(f"a DenseNet has blocks of a layer or more and growth, not {found}")
        if len(strides) != len(blocks) + 1:
            raise SettingError(f"{len(blocks)} blocks have {len(blocks) + 1} strides: {strides}")
        kind = layers(dims, style)
        first, pool, *steps = (spread(stride, dims) for stride in strides)
        here = 2 * growth
        stages: dict[str, nn.Module] = {"stem": _open(kind, channels, here, first, len(blocks))}
        if len(blocks) > 3:
            stages["pool"] = kind.shrink(3, pool, padding=1)
        for number, (repeats, step) in enumerate(zip(blocks, [*steps, None], strict=True), 1):
            block = nn.Sequential()
            for i in range(1, repeats + 1):
                block.add_module(f"layer{i}", DenseLayer(kind, here, growth, inner_dropout))
                here += growth
            stages[f"block{number}"] = block
            if step is not None:
                stages[f"transition{number}"] = _transition(kind, here, step)
                here //= 2
        stages["last"] = nn.Sequential(kind.norm(here), kind.act())
        super().__init__(dims, stages, features=here)


class DenseLayer(nn.Module):
    """Make `growth` new maps from all maps so far, and hand on both."""

    def __init__(self, kind: Layers, here: int, growth: int, dropout: float) -> None:
        super().__init__()
        within, bias = NARROW * growth, not kind.style.normed
        self.new = nn.Sequential(
            kind.norm(here),
            kind.act(),
            *conv_norm(kind, here, within, 1),
            kind.act(),
            kind.conv(within, growth, 3, padding=1, bias=bias),
            kind.dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.new(x)], 1)


def _open(kind: Layers, here: int, there: int, step: Sequence[int], blocks: int) -> nn.Module:
    """Make the first convolution; in the form for small images its norm is left to the layers."""
    conv, norm = conv_norm(kind, here, there, kind.stem(7, step), step)
    return nn.Sequential(conv, norm, kind.act()) if blocks > 3 else nn.Sequential(conv)


def _transition(kind: Layers, here: int, step: Sequence[int]) -> nn.Module:
    conv = kind.conv(here, here // 2, 1, bias=not kind.style.normed)
    pool = kind.avg_pool(step) if max(step) > 1 else nn.Identity()
    return nn.Sequential(kind.norm(here), kind.act(), conv, pool)


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    depth: int,
    growth: int = 32,
    inner_dropout: float = 0.0,
    repeats: int | None = None,
) -> DenseNet:
    """Build a DenseNet for a size: its first strides are dropped where the input is too small.

    A depth of 6 n + 4 is the form for small images. Every block may have `repeats` layers instead.
    """
    blocks: tuple[int, ...] = BLOCKS.get(depth, ((depth - 4) // 6,) * 3)
    if depth not in BLOCKS and (depth < 10 or (depth - 4) % 6):
        raise SettingError(f"DenseNet has the depths {[*BLOCKS]} and 6 n + 4, not {depth!r}")
    strides = kept_strides(size, STRIDES if depth in BLOCKS else NEAR)
    if repeats is not None:
        blocks = (repeats,) * len(blocks)
    return DenseNet(dims, channels, blocks, growth, strides, style, inner_dropout)


# What each pattern in their names becomes in a `Classifier`, in this order. Torchvision's files of
# weights part the names within a layer once more than its networks do: norm.1 for norm1.
TORCHVISION = (
    (r"^classifier\.", "linear."),
    (r"^features\.conv0\.", "body.stem.0."),
    (r"^features\.norm0\.", "body.stem.1."),
    (r"^features\.norm5\.", "body.last.0."),
    (r"^features\.denseblock(\d)\.denselayer(\d+)\.", r"body.block\1.layer\2."),
    (r"\.norm\.?1\.", ".new.0."),
    (r"\.conv\.?1\.", ".new.2."),
    (r"\.norm\.?2\.", ".new.3."),
    (r"\.conv\.?2\.", ".new.5."),
    (r"^features\.transition(\d)\.norm\.", r"body.transition\1.0."),
    (r"^features\.transition(\d)\.conv\.", r"body.transition\1.2."),
)
TIMM = TORCHVISION
