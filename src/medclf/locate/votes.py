"""Every place in a volume votes where the landmarks lie; they are where most votes fall.

A network sees a small cube of a coarse volume and tells for each landmark how far off it lies, how
far that may be wrong, and whether it is in the scan at all. In training cubes are drawn at random
places; in use all cubes are judged in one pass (`locate/screen.py`), those at the border too, for
the volume is widened by its outermost samples. A vote counts as its cube is sure. Votes are
gathered on a grid and spread by a Gaussian, which is a kernel density; its peak is the place, and
its height, as a share of what all votes would give on one heap, tells how sure it is. Votes that
fall outside of the volume, or say that the landmark is missing, heap up nothing.

Source: Suzani et al. Fast Automatic Vertebrae Detection and Localization in Pathological CT Scans -
A Deep Learning Approach. MICCAI 2015 (votes of all voxels, kernel density, what falls outside is
missing). It sees boxes of mean intensities about a voxel through dense layers; here a convolutional
network sees the samples themselves. Its votes count alike; that each tells its own doubt is from
Kendall, Gal. What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision? NeurIPS
2017, section 3.
"""

from collections.abc import Sequence
from math import ceil, log, prod

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, pad

from medclf.locate.peaks import refine
from medclf.locate.screen import Screen
from medclf.locate.sought import Sought
from medclf.look.augment import Augment, augment_marked
from medclf.look.views import Views
from medclf.net.head import Classifier
from medclf.net.nd import layers
from medclf.net.table import build_body

CUBES = 32
"""Cubes of each exam in a step."""

EDGE = 16
"""Of a cube, in samples."""

SPREAD = 1.5
"""Deviation of the kernel, in samples."""

SUREST = 0.5
"""Samples by which a vote is wrong at least, in its own judgement."""


class Votes(nn.Module):
    """Find landmarks in images of one size.

    Args:
        network: Judges cubes; an offset, its doubt and a presence for each landmark.
        channels: Of the image.
        size: Its edges in samples, z first.
        edge: Of a cube.
        cubes: Drawn from each image in a step.
        changes: What chance may do to an image in training.

    Shape:
        in training, views (B, cubes, C, *cube) -> (B, cubes, landmarks, axes + 2); in use, views
        (B, 1, C, *size) -> (B, landmarks, axes + 2, *cells). Offsets and doubt are told in shares
        of the longest half edge, the doubt as a logarithm, the presence as a logit.

    Raises:
        SettingError: the network cannot screen a volume.
    """

    def __init__(
        self,
        network: Classifier,
        channels: int,
        size: Sequence[int],
        edge: int,
        cubes: int,
        changes: Augment,
    ) -> None:
        super().__init__()
        self.size, self.cubes, self.changes = tuple(size), cubes, changes
        self.screen = Screen(network, channels, (edge,) * len(size))
        self.parts, self.unit = len(size) + 2, max(size) / 2
        self.least = log(SUREST / self.unit)

    def look(self, views: Views, generator: Generator) -> Views:
        """See images as they are; in training `blend` draws cubes, with the way to the places."""
        return views

    def blend(self, views: Views, target: Tensor, generator: Generator) -> tuple[Views, Tensor]:
        """Move images by chance, and draw cubes.

        Returns:
            Cubes (B, cubes, C, *cube), and for each the offsets to all landmarks and whether those
            lie in the image: (B, cubes, L, axes + 1).
        """
        images, target = augment_marked(views.values[:, 0], target, self.changes, generator)
        wide, dims = self._widen(images), len(self.size)
        edges, count = self.screen.size, len(images)
        free = [n - edge + 1 for n, edge in zip(wide.shape[2:], edges, strict=True)]
        starts = [torch.randint(n, (count, self.cubes), generator=generator) for n in free]
        for axis, edge in enumerate(edges):
            wide = wide.unfold(2 + axis, edge, 1)
        place = [start.to(wide.device) for start in starts]
        which = torch.arange(count, device=wide.device)[:, None]
        # What is indexed comes first, then channels and the samples of a cube.
        seen = wide.movedim(1, 1 + dims)[(which, *place)]
        middles = torch.stack(starts, -1).to(target) + target.new_tensor(self._first())
        there = ((target > -0.5) & (target < target.new_tensor(self.size) - 0.5)).all(-1)
        away = target[:, None] - middles[:, :, None]
        each = there[:, None, :, None].expand(*away.shape[:3], 1)
        return Views(seen), torch.cat([away, each.to(away)], -1)

    def forward(self, views: Views) -> Tensor:
        if self.training:
            network, cubes = self.screen.network, views.values.flatten(0, 1)
            judged = network.decide(network.embed(cubes))
            votes: Tensor = judged.view(*views.values.shape[:2], -1, self.parts)
            return votes
        found: Tensor = self.screen(self._widen(views.values[:, 0]))
        return found.view(len(found), -1, self.parts, *found.shape[2:])

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare offsets by their absolute error over their doubt, and presence by cross-entropy.

        Args:
            logits: (B, cubes, L, axes + 2).
            target: As `blend` gives it. Offsets of NaN are not counted.
        """
        axes = len(self.size)
        doubt = logits[..., axes].clamp_min(self.least)
        known = target[..., :axes].isfinite().all(-1)
        away = torch.where(known[..., None], target[..., :axes] / self.unit, 0)
        error = (logits[..., :axes] - away).abs().sum(-1)
        votes = torch.where(known, error / doubt.exp() + axes * doubt, 0)
        presence = binary_cross_entropy_with_logits(logits[..., axes + 1], target[..., axes])
        return votes.sum() / known.sum().clamp_min(1) + presence

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Gather the votes of all cells.

        Returns:
            Places in samples, (B, L, axes), and from 0 to 1 how high the votes are heaped, (B, L).
        """
        axes, cells = len(self.size), logits.shape[3:]
        flat = logits.flatten(3).flatten(0, 1).float()
        middles = [
            torch.arange(n, device=flat.device) * step + first
            for n, step, first in zip(cells, self.screen.step, self._first(), strict=True)
        ]
        grid = torch.stack([axis.flatten() for axis in torch.meshgrid(*middles, indexing="ij")])
        votes = grid + flat[:, :axes] * self.unit
        weight = (-axes * flat[:, axes].clamp_min(self.least)).exp()
        heap = self._heap(votes, weight * flat[:, axes + 1].sigmoid())
        top = heap.flatten(1).argmax(1)
        peak = torch.stack(torch.unravel_index(top, self.size), 1)
        which = torch.arange(len(heap), device=heap.device)
        places = refine(heap.clamp_min(1e-12).log(), which, peak)
        scores = heap.flatten(1).amax(1) / weight.sum(1)
        shape = logits.shape[:2]
        return places.view(*shape, axes), scores.clamp(0, 1).view(shape)

    def _heap(self, votes: Tensor, weight: Tensor) -> Tensor:
        """Spread votes by a Gaussian of height 1: (M, axes, N), (M, N) -> (M, *size)."""
        nearest = votes.round().long()
        edges = torch.tensor(self.size, device=votes.device)[:, None]
        inside = ((nearest >= 0) & (nearest < edges)).all(1)
        index = torch.zeros_like(inside, dtype=torch.long)
        for axis, n in enumerate(self.size):
            index = index * n + nearest[:, axis].clamp(0, n - 1)
        heap = weight.new_zeros(len(weight), prod(self.size))
        heap = heap.scatter_add(1, index, weight * inside).view(-1, 1, *self.size)
        reach = ceil(3 * SPREAD)
        away = torch.arange(-reach, reach + 1, device=votes.device)
        kernel = (-(away / SPREAD).square() / 2).exp()
        kind = layers(len(self.size))
        for axis, _ in enumerate(self.size):
            shape = [1] * (2 + len(self.size))
            shape[2 + axis] = len(kernel)
            around = [reach * (axis == other) for other, _ in enumerate(self.size)]
            heap = kind.convolve(heap, kernel.view(shape), padding=around)
        return heap.squeeze(1)

    def _widen(self, images: Tensor) -> Tensor:
        """Repeat the outermost samples, so that cubes have their middles all over the image."""
        around = [edge // 2 for edge in reversed(self.screen.size) for _ in range(2)]
        return pad(images, around, mode="replicate")

    def _first(self) -> tuple[float, ...]:
        """Give the sample in the middle of the first cube of a widened image."""
        pairs = zip(self.screen.places.first, self.screen.size, strict=True)
        return tuple(first - edge // 2 for first, edge in pairs)


def build(sought: Sought, cubes: int = CUBES, edge: int = EDGE) -> Votes:
    """Build the network; the usual body is the first of Dou's, without padding.

    Args:
        cubes: Drawn from each image in a step.
        edge: Of a cube, in samples.
    """
    dims = len(sought.size)
    name = sought.net or "dou_screen"
    options = sought.options
    if not sought.net:
        options = {"norm": "batch", "inner_dropout": 0.0, **options}
    body = build_body(name, dims, sought.channels, (edge,) * dims, **options)
    network = Classifier(body, len(sought.names) * (dims + 2))
    return Votes(network, sought.channels, sought.size, edge, cubes, sought.changes)
