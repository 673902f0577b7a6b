"""Slices or patches in order: a network sees each, and a recurrent network reads them through.

Of a volume these are its slices from first to last; of a picture, patches from left to right and
down. The first filters of the network are drawn by chance, or are clusters of small patches of the
training exams, which no label is needed for.

Source: Gao, Lin, Wong. Automatic Feature Learning to Grade Nuclear Cataracts Based on Deep
Learning. IEEE Transactions on Biomedical Engineering 62, 2015.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Generator, Tensor

from medclf.errors import SettingError
from medclf.fuse.table import make_fuser
from medclf.look.patches import grid_patches
from medclf.look.seen import Seen
from medclf.look.slices import middles, ordered_slices
from medclf.method.asked import Asked
from medclf.method.joined import Joined
from medclf.net.clusters import set_filters


@dataclass(frozen=True)
class InOrder:
    """See each volume as its slices, each picture as its patches.

    Args:
        size: Of a slice or a patch.
        most: Slices of a volume at most.
        neighbours: Slices on either side, as further channels.
        side: Patches of a picture along each axis.
    """

    size: tuple[int, ...]
    most: int
    neighbours: int
    side: int

    def __call__(self, images: Tensor, generator: Generator, training: bool) -> Tensor:
        """See images: (B, C, *space) -> (B, V, C, *size)."""
        if images.ndim == 5:
            return ordered_slices(images, 0, self.most, self.neighbours)
        return grid_patches(images, self.size, (self.side, self.side))


def build(
    asked: Asked,
    most: int = 16,
    neighbours: int = 1,
    side: int = 4,
    filters: Literal["drawn", "clusters"] = "drawn",
) -> Joined:
    """Build the method.

    Args:
        most: Slices of a volume at most.
        neighbours: Slices on either side that are seen with each as channels.
        side: Patches of a picture along each axis; each is twice as wide as they lie apart.
        filters: First weights of the first convolution, by chance or from clusters.
    """
    size: tuple[int, ...]
    if most < 1 or neighbours < 0 or side < 2:
        raise SettingError(f"slices, neighbours, patches wanted, not {most}, {neighbours}, {side}")
    if filters not in ("drawn", "clusters"):
        raise SettingError(f"method.options.filters is drawn or clusters, not {filters!r}")
    if len(asked.size) == 3:
        channels, size = asked.channels * (1 + 2 * neighbours), tuple(asked.size[1:])
        names = tuple(f"slice {n + 1} of {asked.size[0]}" for n in middles(asked.size[0], most))
    else:
        channels, numbers = asked.channels, range(1, side + 1)
        names = tuple(f"row {row}, column {column}" for row in numbers for column in numbers)
        size = tuple(max(1, round(2 * edge / (side + 1))) for edge in asked.size)
    look = Seen(channels, size, asked.changes, InOrder(size, most, neighbours, side), names)
    networks = asked.networks(channels, size)
    if filters == "clusters" and asked.examples is not None:
        seen = look(asked.examples(), asked.generator, training=False)
        set_filters(networks[0].body, seen.values.flatten(0, 1), asked.generator)
    fuser = asked.fused(make_fuser("recurrent", asked.width(networks[0])), networks[0])
    return Joined(networks, look, fuser, asked.lesson, asked.changes.mix)
