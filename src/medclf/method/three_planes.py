"""Axial, coronal and sagittal: three planes through the middle, or three projections.

As channels of one picture, or as views of their own, with one network for all or one for each; or
one of them alone, which tells what the others add. A projection shows the largest or the mean value
along the axis instead of what lies in the plane, so that nothing is missed that lies beside it.
Each reaches from border to border of the volume, however flat that is.

Source: Prasoon et al. Deep Feature Learning for Knee Cartilage Segmentation Using a Triplanar
Convolutional Neural Network. MICCAI 2013 (a network for each plane); Roth et al. MICCAI 2014
(planes as channels).
"""

from dataclasses import dataclass
from typing import Literal

from torch import Generator, Tensor

from medclf.errors import SettingError
from medclf.fuse.concatenate import SideBySide
from medclf.look.planes import RUNNING, SIDES, axis_planes, sample_planes
from medclf.look.projections import projections
from medclf.look.seen import Seen
from medclf.method.asked import Asked
from medclf.method.each_view import EachView
from medclf.method.joined import Joined

SHOWN = ("plane", "maximum", "mean")
JOINED = ("channels", "shared", "own")


@dataclass(frozen=True)
class ThreePlanes:
    """See each volume from three sides, or from one.

    Args:
        pixels: Edge of each plane, as many as the longest edge that is seen has samples.
        step: Samples of the volume from one pixel to the next along each axis, z first.
        sides: Numbers of `SIDES`.
        shown: What lies in the plane, or the maximum or the mean along its axis.
        together: As channels of one view.
    """

    pixels: int
    step: tuple[float, ...]
    sides: tuple[int, ...]
    shown: str
    together: bool

    def __call__(self, volumes: Tensor, generator: Generator, training: bool) -> Tensor:
        """See volumes: (B, C, Z, Y, X) -> (B, V, C, pixels, pixels), or (B, 1, V C, …)."""
        if self.shown == "plane":
            planes = axis_planes()[:, self.sides]
            views = sample_planes(volumes, planes, self.pixels, self.step)
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
    together, planes = joined == "channels", len(sides)
    pixels = max(asked.volume[axis] for one in sides for axis in RUNNING[one])
    step = tuple(edge / pixels for edge in asked.volume)
    see = ThreePlanes(pixels, step, sides, shown, together)
    channels = asked.channels * (planes if together else 1)
    names = () if together else tuple(SIDES[number] for number in sides)
    look = Seen(channels, (pixels, pixels), asked.changes, see, names)
    networks = asked.networks(channels, look.size, planes, joined == "own")
    if together:
        return EachView(networks, look, asked.lesson, asked.changes.mix)
    fuser = SideBySide(asked.width(networks[0]), planes)
    return Joined(networks, look, asked.fused(fuser, networks[0]), asked.lesson, asked.changes.mix)
