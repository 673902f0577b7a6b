"""Filters learnt without labels: clusters of small patches of the images.

Patches are freed of brightness and contrast and whitened, so that neighbouring samples no longer
tell of each other; k-means on the sphere then finds edges and blobs. As first weights of a
convolution they answer as strongly as those that they replace.

Source: Coates, Ng. Learning Feature Representations with K-means. Neural Networks: Tricks of the
Trade, 2012, sections 2 and 3; Coates, Lee, Ng. An Analysis of Single-Layer Networks in Unsupervised
Feature Learning. AISTATS 2011.
"""

from collections.abc import Sequence
from math import prod

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import normalize, pad

PATCHES, ROUNDS = 10_000, 10
CONTRAST, WHITENING = 0.01, 0.1  # added to variances, so that noise is not blown up


@torch.no_grad()
def set_filters(body: nn.Module, images: Tensor, generator: Generator) -> None:
    """Give the first convolution of a body the clusters of patches as weights.

    Args:
        body: 2D or 3D.
        images: (N, channels, *space), standardised, as the body sees them.
        generator: Draws patches and first clusters.
    """
    first = next(part for part in body.modules() if isinstance(part, nn.Conv2d | nn.Conv3d))
    patches = draw_patches(images, first.kernel_size, PATCHES, generator)
    filters = cluster_filters(patches, first.out_channels, generator)
    before = patches @ first.weight.flatten(1).T.to(patches.device)
    strength = before.std() / (patches @ filters.T).std().clamp_min(1e-6)
    first.weight.copy_((strength * filters).view(first.weight.shape))


def draw_patches(images: Tensor, size: Sequence[int], count: int, generator: Generator) -> Tensor:
    """Draw patches at random; images smaller than a patch are laid out with zeros.

    Shape:
        (N, C, *space) -> (count, C * product of size)
    """
    short = [max(0, edge - n) for edge, n in zip(size, images.shape[2:], strict=True)]
    images = pad(images, [zeros for edge in reversed(short) for zeros in (0, edge)]).cpu()
    space = images.shape[2:]
    steps = [prod(space[axis + 1 :]) for axis in range(len(space))]
    start, within = torch.zeros(count, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    for step, edge, n in zip(steps, size, space, strict=True):
        start += step * torch.randint(n - edge + 1, (count,), generator=generator)
        within = (within[:, None] + step * torch.arange(edge)).flatten()
    which = torch.randint(len(images), (count,), generator=generator)
    # Indices around a slice come first: (count, cells, C).
    found = images.flatten(2)[which[:, None], :, start[:, None] + within]
    return found.movedim(2, 1).flatten(1).float()


def cluster_filters(patches: Tensor, count: int, generator: Generator) -> Tensor:
    """Find filters that each answer to one kind of patch, and to no even brightness.

    Args:
        patches: (N, D).
        count: Filters.
        generator: Draws the first clusters.

    Shape:
        (N, D) -> (count, D)
    """
    x = patches - patches.mean(1, keepdim=True)
    x = x / (x.var(1, keepdim=True) + CONTRAST).sqrt()
    x = x - x.mean(0)
    values, vectors = torch.linalg.eigh(x.T @ x / len(x))
    whiten = (vectors * (values.clamp_min(0) + WHITENING).rsqrt()) @ vectors.T
    x = x @ whiten
    clusters = normalize(torch.randn(count, x.shape[1], generator=generator))
    for _ in range(ROUNDS):
        match = x @ clusters.T
        best = match.abs().argmax(1, keepdim=True)
        share = torch.zeros_like(match).scatter_(1, best, match.gather(1, best))
        clusters = normalize(share.T @ x + clusters)
    filters: Tensor = clusters @ whiten
    return filters - filters.mean(1, keepdim=True)
