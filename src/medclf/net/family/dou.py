"""Dou: two small networks without padding; one screens a volume, one judges what it found.

The first is shallow and steps by two samples, so that it runs over a whole volume in one pass and
gives each small cube the score that it would have by itself (`locate/screen.py`). The second sees
larger cubes with larger kernels, and only those that the first let through. The dense layers of
both are convolutions over what is left of a cube, so that any larger input works too.

The cubes of the paper are flat, as its slices are thick: 16 x 16 x 10 samples, seen by kernels of
5 x 5 x 3, 3 x 3 x 3 and 3 x 3 x 1, and 20 x 20 x 16, seen by 7 x 7 x 5 and 5 x 5 x 3. Here every
kernel has its longest edge along all axes, in squares as in cubes of 16 and 20 samples.

Source: Dou et al. Automatic Detection of Cerebral Microbleeds From MR Images via 3D Convolutional
Neural Networks. IEEE Transactions on Medical Imaging 35(5), 2016, tables I and II. The paper was
not at hand: the layers of the second network, and dropout of .3, are those of a published
re-implementation; those of the first are from memory, and fit its cube and its step of 2. That
only dense layers drop is assumed.
"""

from collections.abc import Sequence

from torch import nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.nd import conv_norm, layers
from medclf.net.style import Style
from medclf.net.widen import Widen

PLAIN = Style(norm="plain")
POOL = 2  # after the first convolution

# Of each layer but the last: the edge of its kernel, and its maps.
FORMS = {
    "screen": {"c1": (5, 64), "c2": (3, 64), "c3": (3, 64), "fc1": (2, 150)},
    "judge": {"c1": (7, 32), "c2": (5, 64), "fc1": (3, 500), "fc2": (1, 100)},
}


class Dou(Body):
    """Body of one of the two networks.

    An axis shorter than the cube is padded with zeros to it. The activation follows the pool rather
    than leading it: for ReLU and all that never fall the result is the same, and it runs over an
    eighth of the samples.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        form: "screen", for cubes of 16 samples, or "judge", for those of 20.
        inner_dropout: Share of the samples dropped in training, after each dense layer.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, features, *((space' - cube) // 2 + 1)) with space' =
        max(space, cube): 150 features in the form "screen", 100 in "judge"

    Raises:
        SettingError: there is no such form, `inner_dropout` is no share, or `dims` is neither 2
            nor 3.

    Example:
        >>> import torch
        >>> Dou(3, 1)(torch.zeros(1, 1, 16, 16, 20)).shape
        torch.Size([1, 150, 1, 1, 3])
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        form: str = "screen",
        inner_dropout: float = 0.3,
        style: Style = PLAIN,
    ) -> None:
        if form not in FORMS:
            raise SettingError(f"Dou has the forms {' and '.join(FORMS)}, not {form!r}")
        kind = layers(dims, style)
        stages: dict[str, nn.Module] = {}
        here = channels
        for name, (edge, there) in FORMS[form].items():
            stages[name] = stage = conv_norm(kind, here, there, edge, padding=0)
            if name == "c1":
                stage.insert(0, Widen(cube(form)))
                stages["m1"] = stage = nn.Sequential(kind.max_pool(POOL))
            stage.append(kind.act())
            if name.startswith("fc"):
                stage.append(kind.dropout(inner_dropout))
            here = there
        super().__init__(dims, stages, features=here)


def cube(form: str) -> int:
    """Give the samples along each axis that one cell of the last map sees.

    Example:
        >>> cube("screen"), cube("judge")
        (16, 20)
    """
    first, *others = (edge for edge, _ in FORMS[form].values())
    return first + POOL - 1 + POOL * sum(edge - 1 for edge in others)


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    form: str,
    inner_dropout: float = 0.3,
) -> Dou:
    """Build one of the two networks; it is the same for every size."""
    return Dou(dims, channels, form, inner_dropout, style)
