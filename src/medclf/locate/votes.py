"""Every place in a volume votes where the landmarks lie; they are where most votes fall.

A network sees a small cube of a coarse volume and tells for each landmark how far off it lies, how
far that may be wrong, and whether it is in the scan at all. All cubes of a volume are judged in one
pass (`locate/screen.py`), those at the border too, for the volume is widened by its outermost
samples; in training all cubes of a block, drawn by chance from volumes that are larger. A vote
counts as its cube is sure. Votes are gathered on a grid and spread by a Gaussian, which is a kernel
density; its peak is the place, and its height, as a share of what all votes would give on one heap,
tells how sure it is. Votes that fall outside of the volume, or say that the landmark is missing,
heap up nothing.

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

BLOCK = 48
"""Edge of what is seen of an image in a step, in samples."""

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
        block: Edge of what is seen of an image in a step.
        changes: What chance may do to an image in training.

    Shape:
        views (B, 1, C, *size), in training (B, 1, C, *block) -> (B, landmarks, axes + 2, *cells).
        Offsets and doubt are told in shares of the longest half edge, the doubt as a logarithm, the
        presence as a logit.

    Raises:
        SettingError: the network cannot screen a volume.
    """

    def __init__(
        self,
        network: Classifier,
        channels: int,
        size: Sequence[int],
        edge: int,
        block: int,
        changes: Augment,
    ) -> None:
        super().__init__()
        self.size, self.block, self.changes = tuple(size), max(block, edge), changes
        self.screen = Screen(network, channels, (edge,) * len(size))
        self.parts, self.unit = len(size) + 2, max(size) / 2
        self.least = log(SUREST / self.unit)

    def look(self, views: Views, generator: Generator) -> Views:
        """See images as they are; in training `blend` moves them, with their places."""
        return views

    def blend(self, views: Views, target: Tensor, generator: Generator) -> tuple[Views, Tensor]:
        """Move images by chance, and draw a block.

        Returns:
            Blocks (B, 1, C, *block), and the places in their samples, with whether these lie in the
            image: (B, L, axes + 1).
        """
        images, target = augment_marked(views.values[:, 0], target, self.changes, generator)
        there = ((target > -0.5) & (target < target.new_tensor(self.size) - 0.5)).all(-1)
        wide, corner = self._widen(images), []
        for axis, edge in enumerate(self.screen.size):
            free = max(wide.shape[2 + axis] - self.block, 0)
            start = int(torch.randint(free + 1, (1,), generator=generator))
            wide = wide.narrow(2 + axis, start, wide.shape[2 + axis] - free)
            corner.append(start - edge // 2)
        return Views(wide[:, None]), torch.cat(
            [target - target.new_tensor(corner), there[..., None].to(target)], -1
        )

    def forward(self, views: Views) -> Tensor:
        images = views.values[:, 0]
        found: Tensor = self.screen(images if self.training else self._widen(images))
        return found.view(len(found), -1, self.parts, *found.shape[2:])

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare offsets by their absolute error over their doubt, and presence by cross-entropy.

        Args:
            logits: (B, L, axes + 2, *cells).
            target: As `blend` gives it. Places of NaN are not counted.
        """
        axes = len(self.size)
        flat, places = logits.flatten(3).float(), target[..., :axes]
        grid = self._grid(logits.shape[3:], self.screen.lattice.first, flat.device)
        doubt = flat[:, :, axes].clamp_min(self.least)
        known = places.isfinite().all(-1)
        away = torch.where(known[..., None], places, 0)[..., None] - grid
        error = (flat[:, :, :axes] - away / self.unit).abs().sum(2)
        votes = torch.where(known[..., None], error / doubt.exp() + axes * doubt, 0)
        there = target[..., axes, None].expand_as(doubt)
        presence = binary_cross_entropy_with_logits(flat[:, :, axes + 1], there)
        return votes.sum() / (known.sum() * grid.shape[1]).clamp_min(1) + presence

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Gather the votes of all cells.

        Returns:
            Places in samples, (B, L, axes), and from 0 to 1 how high the votes are heaped, (B, L).
        """
        axes, cells = len(self.size), logits.shape[3:]
        flat = logits.flatten(3).flatten(0, 1).float()
        votes = self._grid(cells, self._first(), flat.device) + flat[:, :axes] * self.unit
        weight = (-axes * flat[:, axes].clamp_min(self.least)).exp()
        heap = self._heap(votes, weight * flat[:, axes + 1].sigmoid())
        top = heap.flatten(1).argmax(1)
        peak = torch.stack(torch.unravel_index(top, self.size), 1)
        which = torch.arange(len(heap), device=heap.device)
        places = refine(heap.clamp_min(1e-12).log(), which, peak)
        scores = heap.flatten(1).amax(1) / weight.sum(1)
        shape = logits.shape[:2]
        return places.view(*shape, axes), scores.clamp(0, 1).view(shape)

    def _grid(self, cells: Sequence[int], first: Sequence[float], device: torch.device) -> Tensor:
        """Give the samples in the middles of all cubes: (axes, N)."""
        middles = [
            torch.arange(n, device=device) * step + start
            for n, step, start in zip(cells, self.screen.step, first, strict=True)
        ]
        return torch.stack([axis.flatten() for axis in torch.meshgrid(*middles, indexing="ij")])

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
        pairs = zip(self.screen.lattice.first, self.screen.size, strict=True)
        return tuple(first - edge // 2 for first, edge in pairs)


def build(sought: Sought, block: int = BLOCK, edge: int = EDGE) -> Votes:
    """Build the network; the usual body is the first of Dou's, without padding.

    Args:
        block: Edge of what is seen of an image in a step, in samples.
        edge: Of a cube, in samples.
    """
    dims = len(sought.size)
    name = sought.net or "dou_screen"
    options = sought.options
    if not sought.net:
        options = {"norm": "batch", "inner_dropout": 0.0, **options}
    body = build_body(name, dims, sought.channels, (edge,) * dims, **options)
    network = Classifier(body, len(sought.names) * (dims + 2))
    return Votes(network, sought.channels, sought.size, edge, block, sought.changes)
