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
from medclf.fuse.fuser import Fuser
from medclf.look.even import Even, even_steps
from medclf.look.planes import sample_planes, symmetric_planes
from medclf.look.resize import resize
from medclf.look.seen import Seen
from medclf.look.views import Look, Views
from medclf.method.asked import Asked
from medclf.method.composed import Composed
from medclf.method.each_view import EachView
from medclf.method.joined import Joined
from medclf.method.lesson import Lesson
from medclf.method.streams import embed, see
from medclf.net.head import Classifier

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


class Mixed(Composed):
    """Join the planes of each triple, judge each triple by one head, and average.

    Args:
        networks: One for all planes, or one for each. The head of the first judges.
        look: Sees nine planes.
        fuser: Joins the three features of a triple.
        lesson: What is learnt.
        mixing: As `Composed` has it.
    """

    def __init__(
        self,
        networks: list[Classifier],
        look: Look,
        fuser: Fuser,
        lesson: Lesson,
        mixing: float,
    ) -> None:
        super().__init__(networks, look, lesson, mixing)
        self.fuser = fuser

    def forward(self, views: Views) -> Tensor:
        """Judge each triple: (B, 9, C, *space) -> (B, 3, outputs)."""
        joined = self.fuser(self._triples(views))
        return torch.unflatten(self.network.decide(joined), 0, (-1, len(TRIPLES)))

    def embed(self, views: Views) -> Tensor:
        """Give what the head judges, the mean over triples: (B, F)."""
        joined = torch.unflatten(self.fuser(self._triples(views)), 0, (-1, len(TRIPLES)))
        return joined.mean(dim=1)

    def weigh(self, views: Views) -> Tensor:
        """Tell how much each view counts, the triples alike: (B, 9), summing to 1."""
        with torch.no_grad():
            within = self.fuser.weigh(self._triples(views)).view(-1, VIEWS)
        order = torch.tensor(TRIPLES).flatten().argsort()
        return within[:, order] / len(TRIPLES)

    def _triples(self, views: Views) -> Tensor:
        """See each plane, and give the features of each triple: (3 B, 3, F)."""
        features = see(self.networks, views, embed)
        return features[:, torch.tensor(TRIPLES)].flatten(0, 1)


def build(
    asked: Asked, fusion: Literal["late", "committee", "mixed"] = "late", own: bool = False
) -> EachView | Joined | Mixed:
    """Build the method.

    Args:
        fusion: "committee" averages the answers of the views; "late" joins their features; "mixed"
            joins those of three planes at a time, and averages.
        own: Whether each view has a network of its own.
    """
    if fusion not in FUSIONS:
        raise SettingError(f"method.options.fusion is one of {', '.join(FUSIONS)}, not {fusion!r}")
    even = even_steps(asked.volume, asked.spacing_mm)
    look = Seen(asked.channels, (even.pixels,) * 2, asked.changes, NinePlanes(even))
    networks = asked.networks(look.channels, look.size, VIEWS, own)
    if fusion == "committee":
        return EachView(networks, look, asked.lesson, asked.changes.mix)
    joined, compose = (VIEWS, Joined) if fusion == "late" else (len(TRIPLES[0]), Mixed)
    fuser = asked.fused(SideBySide(asked.width(networks[0]), joined), networks[0])
    return compose(networks, look, fuser, asked.lesson, asked.changes.mix)
