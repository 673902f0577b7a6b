"""Axial, coronal and sagittal: three planes through the middle, or three projections.

As channels of one picture, or as views of their own, with one network for all or one for each. A
projection shows the largest or the mean value along the axis instead of what lies in the plane, so
that nothing is missed that lies beside it.

Source: Prasoon et al. Deep Feature Learning for Knee Cartilage Segmentation Using a Triplanar
Convolutional Neural Network. MICCAI 2013 (a network for each plane); Roth et al. MICCAI 2014
(planes as channels).
"""

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
    pixels, planes = min(asked.volume), axis_planes()
    together = joined == "channels"

    def see(volumes: Tensor, generator: Generator, training: bool) -> Tensor:
        if shown == "plane":
            views = sample_planes(volumes, planes, pixels)
        else:
            views = projections(volumes, (pixels, pixels), (shown,))
        return views.flatten(1, 2).unsqueeze(1) if together else views

    channels = asked.channels * (PLANES if together else 1)
    look = Seen(channels, (pixels, pixels), asked.changes, see)
    networks = asked.networks(channels, look.size, PLANES, joined == "own")
    if together:
        return EachView(networks, look, asked.lesson, asked.changes.mix)
    fuser = make_fuser("side_by_side", asked.width(networks[0]), PLANES)
    return Joined(networks, look, asked.fused(fuser, networks[0]), asked.lesson, asked.changes.mix)
