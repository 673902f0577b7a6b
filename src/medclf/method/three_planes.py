"""Axial, coronal and sagittal: three planes through the middle, or three projections.

As channels of one picture, or as views of their own, with one network for all or one for each. A
projection shows the largest or the mean value along the axis instead of what lies in the plane, so
that nothing is missed that lies beside it.

Source: Prasoon et al. Deep Feature Learning for Knee Cartilage Segmentation Using a Triplanar
Convolutional Neural Network. MICCAI 2013 (a network for each plane); Roth et al. MICCAI 2014
(planes as channels).
"""

from dataclasses import dataclass
from typing import Literal

from torch import Generator, Tensor

from medclf.errors import SettingError
from medclf.fuse.table import make_fuser
from medclf.look.planes import axis_planes, sample_planes
from medclf.look.projections import projections
from medclf.look.seen import Seen
from medclf.method.asked import Asked
from medclf.method.each_view import EachView
from medclf.method.joined import Joined

PLANES = 3
SHOWN = ("plane", "maximum", "mean")
JOINED = ("channels", "shared", "own")


@dataclass(frozen=True)
class ThreePlanes:
    """See each volume from three sides.

    Args:
        pixels: Edge of each plane.
        shown: What lies in the plane, or the maximum or the mean along its axis.
        together: As channels of one view.
    """

    pixels: int
    shown: str
    together: bool

    def __call__(self, volumes: Tensor, generator: Generator, training: bool) -> Tensor:
        """See volumes: (B, C, Z, Y, X) -> (B, 3, C, pixels, pixels), or (B, 1, 3 C, …)."""
        if self.shown == "plane":
            views = sample_planes(volumes, axis_planes(), self.pixels)
        else:
            views = projections(volumes, (self.pixels, self.pixels), (self.shown,))
        return views.flatten(1, 2).unsqueeze(1) if self.together else views


def build(
    asked: Asked,
    shown: Literal["plane", "maximum", "mean"] = "plane",
    joined: Literal["channels", "shared", "own"] = "own",
) -> EachView | Joined:
    """Build the method.

    Args:
        shown: What lies in the plane, or the maximum or the mean along its axis.
        joined: "channels" of one picture; or views, seen by one "shared" network or by networks
            of their "own".
    """
    if shown not in SHOWN or joined not in JOINED:
        wanted = f"{', '.join(SHOWN)}, and {', '.join(JOINED)}"
        raise SettingError(f"method.options are of {wanted}, not {shown!r} and {joined!r}")
    pixels, together = min(asked.volume), joined == "channels"
    see = ThreePlanes(pixels, shown, together)
    channels = asked.channels * (PLANES if together else 1)
    look = Seen(channels, (pixels, pixels), asked.changes, see)
    networks = asked.networks(channels, look.size, PLANES, joined == "own")
    if together:
        return EachView(networks, look, asked.lesson, asked.changes.mix)
    fuser = make_fuser("side_by_side", asked.width(networks[0]), PLANES)
    return Joined(networks, look, asked.fused(fuser, networks[0]), asked.lesson, asked.changes.mix)
