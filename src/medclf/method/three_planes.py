"""Axial, coronal and sagittal: three planes through the middle, or three projections.

As channels of one picture, or as views of their own, with one network for all or one for each; or
one of them alone, which tells what the others add. A projection shows the largest or the mean value
along the axis instead of what lies in the plane, so that nothing is missed that lies beside it.

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

SIDES = ("axial", "coronal", "sagittal")
SHOWN = ("plane", "maximum", "mean")
JOINED = ("channels", "shared", "own")


@dataclass(frozen=True)
class ThreePlanes:
    """See each volume from three sides, or from one.

    Args:
        pixels: Edge of each plane.
        sides: Numbers of `SIDES`.
        shown: What lies in the plane, or the maximum or the mean along its axis.
        together: As channels of one view.
    """

    pixels: int
    sides: tuple[int, ...]
    shown: str
    together: bool

    def __call__(self, volumes: Tensor, generator: Generator, training: bool) -> Tensor:
        """See volumes: (B, C, Z, Y, X) -> (B, V, C, pixels, pixels), or (B, 1, V C, …)."""
        if self.shown == "plane":
            views = sample_planes(volumes, axis_planes()[:, self.sides], self.pixels)
        else:
            views = projections(volumes, (self.pixels, self.pixels), (self.shown,))[:, self.sides]
        return views.flatten(1, 2).unsqueeze(1) if self.together else views


def build(
    asked: Asked,
    shown: Literal["plane", "maximum", "mean"] = "plane",
    joined: Literal["channels", "shared", "own"] = "own",
    side: Literal["all", "axial", "coronal", "sagittal"] = "all",
) -> EachView | Joined:
    """Build the method.

    Args:
        shown: What lies in the plane, or the maximum or the mean along its axis.
        joined: "channels" of one picture; or views, seen by one "shared" network or by networks
            of their "own".
        side: "all" three, or the one that is seen.
    """
    for name, value, known in (
        ("shown", shown, SHOWN),
        ("joined", joined, JOINED),
        ("side", side, ("all", *SIDES)),
    ):
        if value not in known:
            raise SettingError(f"method.options.{name} is one of {', '.join(known)}, not {value!r}")
    sides = tuple(range(len(SIDES))) if side == "all" else (SIDES.index(side),)
    pixels, together, planes = min(asked.volume), joined == "channels", len(sides)
    see = ThreePlanes(pixels, sides, shown, together)
    channels = asked.channels * (planes if together else 1)
    look = Seen(channels, (pixels, pixels), asked.changes, see)
    networks = asked.networks(channels, look.size, planes, joined == "own")
    if together:
        return EachView(networks, look, asked.lesson, asked.changes.mix)
    fuser = make_fuser("side_by_side", asked.width(networks[0]), planes)
    return Joined(networks, look, asked.fused(fuser, networks[0]), asked.lesson, asked.changes.mix)
