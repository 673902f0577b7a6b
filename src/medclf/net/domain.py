"""Norms of their own for each domain: one body for images of many scanners and modalities.

All convolutions are shared. What differs most between scanners is the mean, the spread and the
contrast of what they give, so each norm keeps statistics, scale and shift for each domain. Images
come sorted by domain, so that each norm sees a slice of the batch for each of them.

Source: Chang, You, Seo, Kwak, Han. Domain-Specific Batch Normalization for Unsupervised Domain
Adaptation. CVPR 2019, section 4; Rebuffi, Bilen, Vedaldi. Learning Multiple Visual Domains with
Residual Adapters. NeurIPS 2017, section 3.1.
"""

import copy

import torch
from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.net.nd import layers
from medclf.net.start import NORMS

CELLS = {2: 8, 3: 4}
"""Cells along each axis that a recogniser looks at."""

HIDDEN = 32
SMALLEST = 1e-6


class Whose:
    """How many images of each domain a body is about to see, which come in that order."""

    counts: tuple[int, ...] = ()


class OwnNorm(nn.Module):
    """A norm for each domain, all alike at first.

    Args:
        norm: Of the body that was built.
        domains: How many there are.
        whose: Says whose images come.

    Shape:
        (B, C, *space), sorted by domain -> the same
    """

    def __init__(self, norm: nn.Module, domains: int, whose: Whose) -> None:
        super().__init__()
        self.each = nn.ModuleList([norm, *(copy.deepcopy(norm) for _ in range(domains - 1))])
        self.whose = whose

    def forward(self, x: Tensor) -> Tensor:
        parts = torch.split(x, list(self.whose.counts))
        seen = [_apply(n, part) for n, part in zip(self.each, parts, strict=True) if len(part)]
        return seen[0] if len(seen) == 1 else torch.cat(seen)


def _apply(norm: nn.Module, part: Tensor) -> Tensor:
    """Normalise; a single image is no sample of its domain, and is measured by those before it."""
    alone = norm.training and len(part) == 1
    if alone:
        norm.eval()
    out: Tensor = norm(part)
    if alone:
        norm.train()
    return out


def own_norms(body: nn.Module, domains: int, whose: Whose) -> None:
    """Put a norm for each domain in the place of each norm of a body.

    Raises:
        SettingError: the body has no norm.
    """
    places = [
        (parent, name, child)
        for parent in body.modules()
        for name, child in parent.named_children()
        if isinstance(child, NORMS)
    ]
    if not places:
        raise SettingError(
            f"norms of each domain's own wanted, {type(body).__name__} has none: "
            'name another network, net.options.norm = "batch" where it has that option, '
            'or method.options.norms = "shared"'
        )
    for parent, name, child in places:
        setattr(parent, name, OwnNorm(child, domains, whose))


class Recogniser(nn.Module):
    """Tell the domain of an image from its brightness and its texture in some cells.

    Args:
        dims: Axes of space.
        channels: Of the image.
        domains: How many there are.

    Shape:
        (B, channels, *space) -> (B, domains), logits
    """

    def __init__(self, dims: int, channels: int, domains: int) -> None:
        super().__init__()
        self.cells = layers(dims).adaptive_avg_pool(CELLS[dims])
        features = 2 * channels * CELLS[dims] ** dims
        self.judge = nn.Sequential(
            nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, domains)
        )

    def forward(self, x: Tensor) -> Tensor:
        mean: Tensor = self.cells(x)
        spread = (self.cells(x.square()) - mean.square()).clamp_min(SMALLEST).log() / 4
        logits: Tensor = self.judge(torch.cat([mean, spread], 1).flatten(1))
        return logits.float()
