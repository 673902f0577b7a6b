"""2.5D random views: judge a lesion from many randomly turned triplets of crossing planes.

Three perpendicular planes through one point become the three channels of a 2D network. Each
look turns the triplet at random: in training one lesion yields as many samples as we ask for,
and in use the mean over looks, drawn once and the same for all, is steadier than any look alone.

Source: Roth et al. A New 2.5D Representation for Lymph Node Detection using Random Sets of
Deep Convolutional Neural Network Observations. MICCAI 2014.
"""

from dataclasses import dataclass, replace

from torch import Generator, Tensor

from medclf.errors import SettingError
from medclf.look.even import Even, even_steps
from medclf.look.planes import crossing_planes
from medclf.look.resize import resize
from medclf.look.seen import Seen
from medclf.look.turns import random_turns
from medclf.method.asked import Asked
from medclf.method.each_view import EachView


@dataclass(frozen=True)
class Triplets:
    """See each volume as randomly turned triplets of crossing planes.

    Args:
        even: How a volume's samples become pixels equally far apart in mm.
        pixels: Edge of each plane.
        looks: Triplets in training.
        in_use: Likewise, in use.
        stretch: Largest change of the step between pixels in training, as a share.
        shift: Largest shift of the middle in training, in pixels.
    """

    even: Even
    pixels: int
    looks: int
    in_use: int
    stretch: float
    shift: float

    def __call__(self, volumes: Tensor, generator: Generator, training: bool) -> Tensor:
        """See volumes: (B, C, Z, Y, X) -> (B, V, 3 C, pixels, pixels)."""
        count = len(volumes)
        if training:
            turns = random_turns(count, self.looks, generator, self.stretch, self.shift)
        else:  # All are turned alike: an answer must not hang on who is asked beside.
            turns = random_turns(1, self.in_use, Generator().manual_seed(0))
            turns = turns.expand(count, -1, -1, -1)
        resized = resize(volumes, self.even.size)
        return crossing_planes(resized, turns, self.pixels, self.even.step)


def build(asked: Asked, looks: int = 1, in_use: int = 12, share: float = 0.7) -> EachView:
    """Build the method.

    Args:
        looks: Triplets drawn from a volume in a step of training.
        in_use: Triplets that are averaged in use.
        share: Edge of each plane, as a share of the volume's longest: what is turned must lie
            within.
    """
    if looks < 1 or in_use < 1 or not 0 < share <= 1:
        found = f"{looks}, {in_use} and {share}"
        raise SettingError(f"1 look or more, in use too, and a share up to 1 wanted, not {found}")
    even, changes = even_steps(asked.volume, asked.spacing_mm), asked.changes
    pixels = max(2, round(share * even.pixels))
    see = Triplets(even, pixels, looks, in_use, changes.scale, changes.shift * pixels)
    still = replace(changes, rotate_degrees=0, scale=0, shear=0, shift=0, elastic=0)
    names = tuple(f"look {number}" for number in range(1, in_use + 1))
    look = Seen(3 * asked.channels, (pixels, pixels), still, see, names)
    return EachView(asked.networks(look.channels, look.size), look, asked.lesson, changes.mix)
