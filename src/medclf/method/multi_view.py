"""Nine planes of symmetry through a candidate, each seen by a 2D network.

Three planes run along the faces of the cube and six through its opposite edges. The networks share
their weights or each has its own. A committee averages their answers; late fusion joins what they
saw before one head judges.

Source: Setio et al. Pulmonary Nodule Detection in CT Images: False Positive Reduction Using
Multi-View Convolutional Networks. IEEE Transactions on Medical Imaging, 2016, figures 3 and 4.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Generator, Tensor

from medclf.errors import SettingError
from medclf.fuse.table import make_fuser
from medclf.look.planes import sample_planes, symmetric_planes
from medclf.look.seen import Seen
from medclf.method.asked import Asked
from medclf.method.each_view import EachView
from medclf.method.joined import Joined

VIEWS = 9


@dataclass(frozen=True)
class NinePlanes:
    """See each volume as its nine planes of symmetry, so many pixels wide."""

    pixels: int

    def __call__(self, volumes: Tensor, generator: Generator, training: bool) -> Tensor:
        """See volumes: (B, C, Z, Y, X) -> (B, 9, C, pixels, pixels)."""
        return sample_planes(volumes, symmetric_planes(), self.pixels)


def build(
    asked: Asked, fusion: Literal["committee", "late"] = "late", own: bool = False
) -> EachView | Joined:
    """Build the method.

    Args:
        fusion: "committee" averages the answers of the views; "late" joins their features.
        own: Whether each view has a network of its own.
    """
    if fusion not in ("committee", "late"):
        raise SettingError(f"method.options.fusion is committee or late, not {fusion!r}")
    pixels = min(asked.volume)
    look = Seen(asked.channels, (pixels, pixels), asked.changes, NinePlanes(pixels))
    networks = asked.networks(look.channels, look.size, VIEWS, own)
    if fusion == "committee":
        return EachView(networks, look, asked.lesson, asked.changes.mix)
    fuser = make_fuser("side_by_side", asked.width(networks[0]), VIEWS)
    return Joined(networks, look, asked.fused(fuser, networks[0]), asked.lesson, asked.changes.mix)
