"""A map of chances for every landmark: in which cell it lies, or that it lies nowhere in the scan.

Any body and a pyramid on its maps give each landmark a map at half the samples or fewer. Softmax
makes of the map, and of one further number for "nowhere", chances that sum to 1; they are taught by
a Gaussian about the true place. The place is the mean of the cells about the likeliest one, each as
likely as it is, and the chance that lies among them tells how sure it is: a map that is spread out,
or that says nowhere, gives little.

Source: Pfister, Charles, Zisserman. Flowing ConvNets for Human Pose Estimation in Videos. ICCV 2015
(a Gaussian as the target); Payer et al. Regressing Heatmaps for Multiple Landmark Localization
Using CNNs. MICCAI 2016 (volumes). Chances over places rather than heights: Nibali et al. Numerical
Coordinate Regression with Convolutional Neural Networks. 2018, section 3.
"""

from collections.abc import Sequence
from math import log

import torch
from torch import Generator, Tensor, nn

from medclf.errors import SettingError
from medclf.locate.sought import Sought
from medclf.look.augment import Augment, augment_marked
from medclf.look.views import Views
from medclf.net.body import Body
from medclf.net.nd import layers
from medclf.net.precision import without_autocast
from medclf.net.pyramid import Pyramid
from medclf.net.start import fill_normal, initialise
from medclf.net.table import build_body

SPREAD = 0.7
"""Cells that the Gaussian spreads by, usually; narrower ones gave smaller errors on validation."""

NEAR = 3
"""Cells to each side of the largest chance, along each axis, whose chance counts for the place."""


class HeatMap(nn.Module):
    """Find landmarks in images of one size.

    Args:
        body: Sees the image.
        channels: Of the image.
        size: Its edges in samples, z first.
        landmarks: How many are looked for.
        changes: What chance may do to an image in training.
        spread: Deviation of the Gaussian that teaches, in cells.

    Shape:
        views (B, 1, C, *size) -> (B, landmarks, 1 + cells): logarithms of chances, of nowhere first
    """

    def __init__(
        self,
        body: Body,
        channels: int,
        size: Sequence[int],
        landmarks: int,
        changes: Augment,
        spread: float = SPREAD,
    ) -> None:
        super().__init__()
        self.body, self.size, self.changes, self.spread = body, tuple(size), changes, spread
        self.pyramid = Pyramid(body, channels, size)
        self.heat = layers(len(size)).conv(self.pyramid.features, landmarks, 1)
        self.nowhere = nn.Linear(body.features, landmarks)

    def draw(self, generator: Generator) -> None:
        """Draw first weights; the last ones so that logits have about the spread of features."""
        for part in (self.body, self.pyramid, self.nowhere):
            initialise(part, generator)
        for weight in self.heat.parameters():
            fill_normal(weight, self.pyramid.features**-0.5, generator)

    def look(self, views: Views, generator: Generator) -> Views:
        """See images as they are; in training `blend` changes them, with their landmarks."""
        return views

    def blend(self, views: Views, target: Tensor, generator: Generator) -> tuple[Views, Tensor]:
        """Move images by chance, and their landmarks with them."""
        images, target = augment_marked(views.values[:, 0], target, self.changes, generator)
        return Views(images[:, None]), target

    def forward(self, views: Views) -> Tensor:
        maps = self.body.stages(views.values[:, 0])
        fine, deep = self.pyramid(maps), maps[self.body.names[-1]]
        with without_autocast(fine.device):
            kind = self.nowhere.weight.dtype
            cells = self.heat(fine.to(kind)).flatten(2)
            # At first all cells together are as likely as nowhere.
            nowhere = self.nowhere(deep.flatten(2).to(kind).mean(2)) + log(cells.shape[2])
            chances: Tensor = torch.cat([nowhere[:, :, None], cells], 2).log_softmax(2)
        return chances

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare chances with a Gaussian about each place: cross-entropy.

        Args:
            logits: Logarithms of chances, (B, L, 1 + cells).
            target: Places in samples, (B, L, axes); NaN, or outside, where a landmark is missing.
        """
        edge, step = target.new_tensor(self.size), self._step(target)
        there = ((target > -0.5) & (target < edge - 0.5)).all(-1)
        cells = (torch.where(there[..., None], target, 0) + 0.5) / step - 0.5
        wanted = self._gaussian(cells)
        found = -(wanted * logits[:, :, 1:]).sum(-1)
        return torch.where(there, found, -logits[:, :, 0]).mean()

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Give places in samples, (B, L, axes), and from 0 to 1 how sure they are, (B, L)."""
        space = self.pyramid.space
        near = logits[:, :, 1:].flatten(0, 1).softmax(1)
        tops = torch.stack(torch.unravel_index(near.argmax(1), space), 1)
        near = near.view(-1, *space)
        grid = torch.meshgrid(*(torch.arange(n, device=near.device) for n in space), indexing="ij")
        for axis, along in enumerate(grid):
            top = tops[:, axis].view(-1, *[1] * len(space))
            near = near * ((along - top).abs() <= NEAR)
        mass = near.flatten(1).sum(1)
        cells = [(near * along).flatten(1).sum(1) / mass for along in grid]
        places = (torch.stack(cells, 1) + 0.5) * self._step(near) - 0.5
        scores = mass.view(logits.shape[:2]) * (1 - logits[:, :, 0].exp())
        return places.view(*logits.shape[:2], -1), scores.clamp(0, 1)

    def _gaussian(self, cells: Tensor) -> Tensor:
        """Spread a chance of 1 about each place: (B, L, axes) in cells -> (B, L, all cells)."""
        found = cells.new_ones(*cells.shape[:2], 1)
        for axis, edge in enumerate(self.pyramid.space):
            away = torch.arange(edge, device=cells.device) - cells[..., axis, None]
            along = (-(away / self.spread).square() / 2).softmax(-1)
            found = (found[..., None] * along[:, :, None]).flatten(2)
        return found

    def _step(self, like: Tensor) -> Tensor:
        """Give the samples from one cell to the next, along each axis."""
        return like.new_tensor(self.size) / like.new_tensor(self.pyramid.space)


def build(sought: Sought, spread: float = SPREAD) -> HeatMap:
    """Build the network; of the usual body the first stride is 2, so that maps are half as fine.

    Args:
        spread: Deviation of the Gaussian that teaches, in cells.

    Raises:
        SettingError: the spread is not above 0.
    """
    if not spread > 0:
        raise SettingError(f"heat_map: a spread above 0 cells wanted, found {spread}")
    name, options = sought.net or "sprint", sought.options
    if not sought.net:
        options = {"stem": 2, **options}
    body = build_body(name, len(sought.size), sought.channels, sought.size, **options)
    landmarks = len(sought.names)
    return HeatMap(body, sought.channels, sought.size, landmarks, sought.changes, spread)
