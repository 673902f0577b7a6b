"""Nine planes of symmetry through a candidate, each seen by a 2D network.

Three planes run along the faces of the cube and six through its opposite edges. The networks share
their weights or each has its own. A committee averages their answers; late fusion joins what they
saw before one head judges. Mixed fusion does both: it joins three planes at a time that stand
upright on each other, and averages the three answers.

Source: Setio et al. Pulmonary Nodule Detection in CT Images: False Positive Reduction Using
Multi-View Convolutional Networks. IEEE Transactions on Medical Imaging, 2016, figures 3 and 4.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

from medclf.errors import SettingError
from medclf.fuse.concatenate import SideBySide
from medclf.look.even import Even, even_steps
from medclf.look.planes import SIDES, sample_planes, symmetric_planes
from medclf.look.resize import resize
from medclf.look.seen import Seen
from medclf.look.views import Views
from medclf.method.asked import Asked
from medclf.method.each_view import EachView
from medclf.method.joined import Joined
from medclf.method.streams import embed, see

VIEWS = 9
TRIPLES = ((0, 3, 4), (1, 5, 6), (2, 7, 8))
"""A plane along a face, and both through the edges that stand upright on it and on each other."""

FUSIONS = ("late", "committee", "mixed")


@dataclass(frozen=True)
class NinePlanes:
    """See each volume as its nine planes of symmetry, with pixels equally far apart in mm."""

    even: Even

    def __call__(self, volumes: Tensor, generator: Generator, training: bool) -> Tensor:
        """See volumes: (B, C, Z, Y, X) -> (B, 9, C, pixels, pixels)."""
        resized = resize(volumes, self.even.size)
        return sample_planes(resized, symmetric_planes(), self.even.pixels, self.even.step)


class Mixed(Joined):
    """Join the planes of each triple, judge each triple by one head, and average.

    It is made as `Joined` is, of nine planes and a fuser of three.
    """

    def judge(self, features: Tensor, views: Views) -> Tensor:
        """Judge each triple by the features of its planes: (B, 9, F) -> (B, 3, outputs)."""
        joined = self._join_triples(features, views)
        return torch.unflatten(self.network.decide(joined), 0, (-1, len(TRIPLES)))

    def embed(self, views: Views) -> Tensor:
        """Give what the head judges, the mean over triples: (B, F)."""
        joined = self._join_triples(see(self.networks, views, embed), views)
        return torch.unflatten(joined, 0, (-1, len(TRIPLES))).mean(dim=1)

    def _join_triples(self, features: Tensor, views: Views) -> Tensor:
        """Join the features of each triple: (B, 9, F) -> (3 B, F)."""
        present = None if views.present is None else _part(views.present)
        return self.fuser(_part(features), present)


def _part(planes: Tensor) -> Tensor:
    """Part what is known of nine planes by their triples: (B, 9, …) -> (3 B, 3, …)."""
    return planes[:, torch.tensor(TRIPLES)].flatten(0, 1)


def build(
    asked: Asked, fusion: Literal["late", "committee", "mixed"] = "late", own: bool = False
) -> EachView | Joined:
    """Build the method.

    Args:
        fusion: "committee" averages the answers of the views; "late" joins their features; "mixed"
            joins those of three planes at a time, and averages.
        own: Whether each view has a network of its own.
    """
    if fusion not in FUSIONS:
        raise SettingError(f"method.options.fusion is one of {', '.join(FUSIONS)}, not {fusion!r}")
    even = even_steps(asked.volume, asked.spacing_mm)
    names = (*SIDES, *(f"plane {number}" for number in range(len(SIDES) + 1, VIEWS + 1)))
    look = Seen(asked.channels, (even.pixels,) * 2, asked.changes, NinePlanes(even), names)
    networks = asked.networks(look.channels, look.size, VIEWS, own)
    if fusion == "committee":
        return EachView(networks, look, asked.lesson, asked.changes.mix)
    joined, compose = (VIEWS, Joined) if fusion == "late" else (len(TRIPLES[0]), Mixed)
    fuser = asked.fused(SideBySide(asked.width(networks[0]), joined), networks[0])
    return compose(networks, look, fuser, asked.lesson, asked.changes.mix)
