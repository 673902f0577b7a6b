"""Network in Network: each convolution is followed by a small network of its own, of 1 x 1.

Instead of dense layers the last maps, one per class, are averaged over space. A mean and a 1 x 1
convolution may change places, so the last one of the paper is the linear layer of `Classifier`; the
paper has a ReLU after it, which we leave out as everyone does of logits.

Source: Lin, Chen, Yan. Network in Network. ICLR 2014, figure 2 and section 4.1. The paper gives no
widths: they are those of the networks that its authors published for Caffe.
"""

from collections.abc import Sequence

from torch import nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.family.alexnet import PLAIN, SHORTEST, layer, strided
from medclf.net.nd import Edges, kept_strides, layers, spread
from medclf.net.separable import thin
from medclf.net.style import Style

# Of each mlpconv layer: the edge of its first kernel, and the channels of its three layers.
FORMS = {
    "imagenet": (
        (11, (96, 96, 96)),
        (5, (256, 256, 256)),
        (3, (384, 384, 384)),
        (3, (1024, 1024)),
    ),
    "cifar": ((5, (192, 160, 96)), (5, (192, 192, 192)), (3, (192, 192))),
}
# Of the first convolution, and of the pool after each mlpconv layer but the last.
STRIDES = {"imagenet": (4, 2, 2, 2), "cifar": (1, 2, 2)}


class NIN(Body):
    """Body of Network in Network.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        form: "imagenet", four mlpconv layers, or "cifar", three.
        width: Factor on the channels of every layer, which become multiples of 8.
        inner_dropout: Share of the samples dropped in training, after each mlpconv layer but the
            last.
        strides: Of the first convolution, and of the pool after each mlpconv layer but the last.
            Where a stride of 4 is dropped the kernel is 3 for 11; a pool of stride 1 is left out.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, features, *space'): 1024 * width and 6 for 224 in the form of
        ImageNet, 192 * width and a quarter of the space in that of CIFAR

    Raises:
        SettingError: there is no such form, the width is not above 0, `inner_dropout` is no share,
            or `dims` is neither 2 nor 3.
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        form: str = "imagenet",
        width: float = 1.0,
        inner_dropout: float = 0.5,
        strides: Sequence[Edges] | None = None,
        style: Style = PLAIN,
    ) -> None:
        if form not in FORMS:
            raise SettingError(f"NIN has the forms {' and '.join(FORMS)}, not {form!r}")
        kind = layers(dims, style)
        steps, *pools = (spread(stride, dims) for stride in strides or STRIDES[form])
        stages: dict[str, nn.Module] = {}
        here = channels
        for number, (edge, wide) in enumerate(FORMS[form], start=1):
            first, *others = (thin(each, width) for each in wide)
            stage = layer(kind, here, first, edge)
            if number == 1 and form == "imagenet":
                stage = nn.Sequential(*strided(kind, here, first, edge, steps, zeros=0), kind.act())
            here = first
            for there in others:
                stage.extend(layer(kind, here, there, 1))
                here = there
            stages[f"mlpconv{number}"] = stage
            if number <= len(pools):
                pool = kind.shrink(3, pools[number - 1], ceil=True)
                stages[f"pool{number}"] = nn.Sequential(pool, kind.dropout(inner_dropout))
        super().__init__(dims, stages, features=here)


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    form: str,
    width: float = 1.0,
    inner_dropout: float = 0.5,
) -> NIN:
    """Build NIN for a size: its first strides are dropped where the input is too small."""
    shortest = SHORTEST if form == "imagenet" else 3
    strides = kept_strides(size, STRIDES[form], shortest)
    return NIN(dims, channels, form, width, inner_dropout, strides, style)
