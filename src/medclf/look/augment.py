"""Augmentation: each step sees every exam a little turned, stretched, lit and hidden.

All of it works on whole batches of tensors, in 2D and 3D by the same lines. Turning, scaling,
shearing, shifting, mirroring and bending become one field of sampling points in a plane, so that
values are interpolated just once. A volume moves in another of its planes with each batch. Points
that are marked in exams move with them. Chance comes from the generator alone.

Source: Simard, Steinkraus, Platt. Best Practices for Convolutional Neural Networks. ICDAR 2003
(elastic); DeVries, Taylor. Improved Regularization with Cutout. 2017; Zhang et al. mixup. ICLR
2018.
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from medclf.errors import SettingError
from medclf.look.chance import symmetric
from medclf.look.views import Views

BENDS = 4  # knots of the elastic field along each axis

# The planes of space, as pairs of its axes, z first. A batch is moved in one of them.
PLANES = {2: ((0, 1),), 3: ((1, 2), (0, 2), (0, 1))}


@dataclass(frozen=True)
class Augment:
    """How far chance may change an exam. Zero switches a change off.

    Args:
        rotate_degrees: Largest turn.
        scale: Largest stretch or shrink of each axis, as a share.
        shear: Largest slant, as a share.
        shift: Largest shift, as a share of the edge.
        elastic: Largest bend, as a share of the edge.
        brightness: Largest shift of the values, in standard deviations of the cohort.
        contrast: Largest stretch or shrink of the values about the image's mean, as a share.
        noise: Largest standard deviation of added noise, in those of the cohort.
        cutout: Edge of the hidden block, as a share of the image's edge.
        mix: Share of a second exam blended in, as alpha of mixup's Beta distribution.
        mirror: Axes of space, z first, along which an exam may be mirrored. In a picture 0 turns
            it upside down and 1 swaps left and right.
    """

    rotate_degrees: float = 15.0
    scale: float = 0.15
    shear: float = 0.0
    shift: float = 0.1
    elastic: float = 0.0
    brightness: float = 0.2
    contrast: float = 0.2
    noise: float = 0.0
    cutout: float = 0.0
    mix: float = 0.0
    mirror: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("rotate_degrees", "shear", "elastic", "brightness", "noise", "mix"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingError(f"augment.{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("scale", "shift", "contrast", "cutout"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingError(f"augment.{name} must be in [0, 1), not {getattr(self, name)}")
        if not set(self.mirror) <= {0, 1, 2}:
            raise SettingError(f"augment.mirror names axes of space 0, 1, 2, not {self.mirror}")

    @property
    def moves(self) -> bool:
        """Whether any change moves samples, so that the batch must be interpolated."""
        parts = (self.rotate_degrees, self.scale, self.shear, self.shift, self.elastic)
        return any(parts) or bool(self.mirror)


def expect_axes(settings: Augment, dims: int) -> None:
    """Check that images have the axes along which they may be mirrored.

    Args:
        settings: How far exams may be changed.
        dims: 2 for pictures, 3 for volumes.

    Raises:
        SettingError: they lack one.
    """
    if any(axis >= dims for axis in settings.mirror):
        raise SettingError(f"augment.mirror names an axis that {dims}D images lack")


def augment(batch: Tensor, settings: Augment, generator: Generator) -> Tensor:
    """Change each exam of a standardised batch by its own chance.

    Shape:
        (B, C, *space) -> (B, C, *space)
    """
    expect_axes(settings, batch.ndim - 2)
    if settings.moves:
        batch, _ = _move(batch, settings, generator)
    return _shade(batch, settings, generator)


def augment_marked(
    batch: Tensor, points: Tensor, settings: Augment, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Change each exam of a standardised batch, and move what is marked in it along.

    Args:
        batch: (B, C, *space).
        points: (B, L, axes) in samples, z first, NaN where a point is missing.
        settings: How far. Exams are neither bent nor mirrored: a bend has no exact inverse, and
            what lies left would be called right.
        generator: All chance.

    Returns:
        The same shapes. Points that left the exam lie outside of it.

    Raises:
        SettingError: exams are to be bent or mirrored.
    """
    if settings.elastic or settings.mirror:
        found = f"elastic {settings.elastic} and mirror {settings.mirror}"
        raise SettingError(f"marked exams are neither bent nor mirrored, found augment.{found}")
    if settings.moves:
        batch, motion = _move(batch, settings, generator)
        points = motion.carry(points)
    return _shade(batch, settings, generator), points


def _shade(batch: Tensor, settings: Augment, generator: Generator) -> Tensor:
    """Change values where they are: light, noise, and a hidden block."""
    if settings.contrast or settings.brightness:
        batch = _relight(batch, settings, generator)
    if settings.noise:
        level = settings.noise * _uniform(batch, generator, low=0.0)
        batch = batch + (level * torch.randn(batch.shape, generator=generator)).to(batch.device)
    return hide_block(batch, settings.cutout, generator) if settings.cutout else batch


@dataclass(frozen=True)
class Motion:
    """How the exams of a batch move within a plane.

    Args:
        plane: Its two axes of space, z first.
        edges: Samples along the two.
        matrix: (B, 2, 3), from where each exam is sampled, in `grid_sample`'s coordinates: -1 … 1,
            the second axis of the plane first.
    """

    plane: tuple[int, int]
    edges: tuple[int, int]
    matrix: Tensor

    def field(self, settings: Augment, generator: Generator) -> Tensor:
        """Give where each exam's planes are sampled from, bent by chance: (B, *edges, 2)."""
        count = len(self.matrix)
        field = affine_grid(self.matrix, [count, 1, *self.edges], align_corners=False)
        if settings.elastic:
            knots = symmetric((count, 2, BENDS, BENDS), generator)
            bend = interpolate(knots, size=self.edges, mode="bicubic", align_corners=True)
            field = field + 2 * settings.elastic * bend.movedim(1, -1)
        return field

    def carry(self, points: Tensor) -> Tensor:
        """Tell where points go: (B, L, axes) in samples -> the same."""
        along = list(reversed(self.plane))
        edge = points.new_tensor([float(n) for n in reversed(self.edges)])
        matrix = self.matrix.to(points)
        seen = (2 * points[..., along] + 1) / edge - 1 - matrix[:, None, :, 2]
        gone = torch.linalg.solve(matrix[:, :, :2], seen.mT).mT
        carried = points.clone()
        carried[..., along] = ((gone + 1) * edge - 1) / 2
        return carried


def draw_motion(
    count: int,
    plane: tuple[int, int],
    edges: tuple[int, int],
    settings: Augment,
    generator: Generator,
) -> Motion:
    """Draw how exams are turned, slanted, stretched, mirrored and shifted.

    Args:
        count: Exams.
        plane: Its two axes of space, z first.
        edges: Samples along the two.
        settings: How far.
        generator: All chance.
    """
    angle = torch.deg2rad(settings.rotate_degrees * symmetric((count,), generator))
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    slant = settings.shear * symmetric((count, 2, 2), generator).triu(1)
    stretch = 1 + settings.scale * symmetric((count, 1, 2), generator)
    for place, axis in enumerate(reversed(plane)):
        if axis in settings.mirror:
            stretch[:, 0, place] *= 1 - 2 * torch.randint(2, (count,), generator=generator)
    # Coordinates run -1 … 1 along each edge: a turn of an oblong plane must not slant it.
    edge = torch.tensor([float(n) for n in reversed(edges)])
    matrix = turn @ (torch.eye(2) + slant) * stretch * edge[None, None, :] / edge[None, :, None]
    offset = 2 * settings.shift * symmetric((count, 2, 1), generator)
    return Motion(plane, edges, torch.cat([matrix, offset], 2))


def _move(batch: Tensor, settings: Augment, generator: Generator) -> tuple[Tensor, Motion]:
    """Turn and move the exams of a batch within one plane; the other axis counts as channels.

    A volume's plane is drawn by chance. Sampling it in a plane is ten times faster than at points
    in space, for the place of a sample is worked out once for a whole column; and it blurs once.
    """
    space = batch.shape[2:]
    planes = PLANES[len(space)]
    plane = planes[int(torch.randint(len(planes), (1,), generator=generator))]
    rows, columns = 2 + plane[0], 2 + plane[1]
    stack = batch.movedim((rows, columns), (-2, -1))
    edges = (space[plane[0]], space[plane[1]])
    motion = draw_motion(len(batch), plane, edges, settings, generator)
    field = motion.field(settings, generator).to(batch.device)
    flat = stack.reshape(len(batch), -1, *edges)
    moved = grid_sample(flat, field, padding_mode="border", align_corners=False)
    whole = moved.reshape(stack.shape).movedim((-2, -1), (rows, columns)).contiguous()
    return whole, motion


def hide_block(batch: Tensor, share: float, generator: Generator) -> Tensor:
    """Set one block at a random place in each exam to zero, the mean of a standardised cohort.

    Shape:
        (B, C, *space) -> (B, C, *space)
    """
    hidden = torch.ones(len(batch), *batch.shape[2:], dtype=torch.bool, device=batch.device)
    for axis, edge in enumerate(batch.shape[2:]):
        block = max(1, round(share * edge))
        start = torch.randint(edge - block + 1, (len(batch), 1), generator=generator)
        place = torch.arange(edge)
        inside = (place >= start) & (place < start + block)
        shape = [1] * (batch.ndim - 2)
        shape[axis] = edge
        hidden &= inside.view(len(batch), *shape).to(batch.device)
    return batch.masked_fill(hidden.unsqueeze(1), 0.0)


def mix(views: Views, target: Tensor, alpha: float, generator: Generator) -> tuple[Views, Tensor]:
    """Blend each exam, its facts and its label with another of the batch.

    Args:
        views: (B, V, C, *space). A view that one of the two lacks is lacking in the blend, and so
            is a fact.
        target: Shares of each class, (B, K).
        alpha: Both parameters of the Beta distribution that the share is drawn from.

    Returns:
        The same shapes.
    """
    if not alpha:
        return views, target
    count = len(target)
    order = torch.randperm(count, generator=generator)
    # Beta(alpha, alpha) as the share of two gamma variates; torch draws those with a generator.
    pair = torch._standard_gamma(torch.full((2, count), alpha), generator=generator)
    share = (pair[0] / pair.sum(0).clamp_min(1e-12)).to(target.device)

    def blend(all_: Tensor) -> Tensor:
        part = share.view(-1, *[1] * (all_.ndim - 1)).to(all_.dtype)
        return torch.lerp(all_[order], all_, part)

    present = views.present
    blended = Views(
        blend(views.values),
        None if present is None else present & present[order],
        None if views.facts is None else blend(views.facts),
    )
    return blended, blend(target)


def _relight(batch: Tensor, settings: Augment, generator: Generator) -> Tensor:
    space = tuple(range(2, batch.ndim))
    gain = (1 + settings.contrast * _uniform(batch, generator)).to(batch.device)
    lift = (settings.brightness * _uniform(batch, generator)).to(batch.device)
    mean = batch.mean(space, keepdim=True)
    return torch.addcmul(mean * (1 - gain) + lift, batch, gain)


def _uniform(batch: Tensor, generator: Generator, low: float = -1.0) -> Tensor:
    """One number per exam, between low and 1, that broadcasts over the batch."""
    shape = (len(batch), *[1] * (batch.ndim - 1))
    return torch.rand(shape, generator=generator) * (1 - low) + low
