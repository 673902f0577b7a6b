"""Planes through volumes: 2D views of 3D exams, turned however one likes.

A plane is three vectors: where its middle lies, one step down, one step to the right. All planes
of a batch are sampled at once, linearly. `grid_sample` is fast in 2D only, so the slices of a
volume are laid below each other as a tall picture, and again from the second slice on: a point
between two slices has the same coordinates in both. A row is exact to 1e-7 of the rows of the
tall picture: to 3e-4 samples in a cube of 48, to .02 in a whole CT.

Source: Roth et al. A New 2.5D Representation for Lymph Node Detection using Random Sets of Deep
Convolutional Neural Network Observations. MICCAI 2014 (three crossing planes as channels);
Setio et al. Pulmonary Nodule Detection in CT Images: False Positive Reduction Using Multi-View
Convolutional Networks. IEEE Transactions on Medical Imaging, 2016, figure 3 (nine planes).
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from medclf.errors import SettingError

# The axes, z first, that run down and to the right in an axial, a coronal and a sagittal plane.
RUNNING = ((1, 2), (0, 2), (0, 1))

SIDES = ("axial", "coronal", "sagittal")
"""Names of these planes."""

# Where a turn has the vectors of these planes: the shift, which comes first, and two axes.
VECTORS = torch.tensor([[0, 1 + down, 1 + right] for down, right in RUNNING])


def crossing_planes(
    volumes: Tensor,
    turns: Tensor,
    pixels: int,
    step: float | Sequence[float] = 1.0,
    points: Tensor | None = None,
) -> Tensor:
    """See each volume as turned triplets of perpendicular planes, which become channels.

    Args:
        volumes: Prepared volumes; the channels of the first plane come first.
        turns: (B, V, 3, 4), as `random_turns` draws them.
        pixels: As `sample_planes` has it, like `step` and `points`.

    Shape:
        (B, C, Z, Y, X) -> (B, V, 3 C, pixels, pixels)
    """
    planes = turned_planes(turns)
    seen = sample_planes(volumes, planes, pixels, step, points)
    return torch.unflatten(seen, 1, (-1, len(RUNNING))).flatten(2, 3)


def sample_planes(
    volumes: Tensor,
    planes: Tensor,
    pixels: int,
    step: float | Sequence[float] = 1.0,
    points: Tensor | None = None,
) -> Tensor:
    """Sample planes linearly, each of which is a view.

    Beyond the volume its border goes on. Steps of more than a sample leave samples out: `resize`
    the volumes first where fine texture would deceive.

    Args:
        volumes: Prepared volumes, of any type of number.
        planes: (B, P, 3, 3), or (1, P, 3, 3) for the same planes in all volumes: for each axis of
            space, z first, the middle relative to the point, one step down, one to the right.
        pixels: Edge of each square plane.
        step: Samples of the volume to a step; one number for each axis, z first, where samples
            are not cubes: the wanted mm divided by the spacing in mm.
        points: (B, 3), where the planes meet, in samples from the first, z first. If `None`, the
            middle of the volume, which lies between two samples where an edge is even.

    Shape:
        (B, C, Z, Y, X) -> (B, P, C, pixels, pixels), float32

    Raises:
        SettingError: the images have no three axes, or planes or points do not fit them.

    Example:
        >>> sample_planes(torch.rand(2, 1, 9, 9, 9), symmetric_planes(), 9).shape
        torch.Size([2, 9, 1, 9, 9])
    """
    _expect(volumes, planes, points)
    count, channels, depth, height, width = volumes.shape
    device = volumes.device
    if points is None:
        points = (torch.tensor([[depth, height, width]], device=device) - 1) / 2
    # Samples become grid_sample's coordinates, which run from -1 to 1, before there are many.
    rows = max(depth - 1, 1) * height
    gain = torch.tensor([1, 2 / rows, 2 / width], device=device)
    first = torch.tensor([0, 1 / rows - 1, 1 / width - 1], device=device)
    scaled = planes.to(device) * (torch.as_tensor(step, device=device) * gain)[:, None]
    place = _places(scaled, points.to(device) * gain + first, pixels)
    # The last slice belongs to the last pair of slices: a point in it lies a hair before it.
    z = place[:, 2].clamp_(0, (depth - 1) * (1 - torch.finfo(place.dtype).eps))
    slices = z.floor()
    share = z.sub_(slices).unsqueeze(1)  # of the picture that begins at the second slice
    top, bottom = 1 / rows - 1, (2 * height - 1) / rows - 1
    place[:, 1].clamp_(top, bottom).add_(slices, alpha=2 * height / rows)
    # All x before all y is the order that grid_sample reads fastest.
    flat = place[:, None, :2].expand(count, channels, -1, -1).flatten(0, 1)
    grid = flat.transpose(1, 2).unsqueeze(1)
    seen = grid_sample(_tall(volumes), grid, padding_mode="border", align_corners=False)
    pair = torch.unflatten(seen.squeeze(2), 0, (count, channels))
    mixed = pair[:, :, 0].lerp(pair[:, :, -1], share)
    return torch.unflatten(mixed, 2, (-1, pixels, pixels)).transpose(1, 2)


def _places(planes: Tensor, points: Tensor, pixels: int) -> Tensor:
    """Tell where each pixel lies, x first: (B, P, 3, 3) -> (B, 3, P * pixels**2)."""
    middle, down, right = planes.movedim(1, 2).flip(1).unbind(-1)  # (B, 3, P) each
    middle = middle + points.flip(1).unsqueeze(-1)
    run = torch.arange(pixels, device=planes.device) - (pixels - 1) / 2
    rows = middle[..., None] + down[..., None] * run
    return (rows[..., :, None] + (right[..., None] * run)[..., None, :]).flatten(2)


def _tall(volumes: Tensor) -> Tensor:
    """Lay slices below each other, without the last and without the first, copying nothing.

    Shape:
        (B, C, Z, Y, X) -> (B C, 2, (Z - 1) Y, X); a single slice -> (B C, 1, Y, X)
    """
    windows = volumes.float().contiguous().flatten(0, 1).unfold(1, max(volumes.shape[2] - 1, 1), 1)
    return windows.movedim(-1, 2).flatten(2, 3)


def turned_planes(turns: Tensor) -> Tensor:
    """Lay an axial, a coronal and a sagittal plane into each turned system of axes.

    Shape:
        (B, V, 3, 4) -> (B, 3 V, 3, 3)
    """
    return turns[..., VECTORS].movedim(3, 2).flatten(1, 2)


def axis_planes() -> Tensor:
    """Lay an axial, a coronal and a sagittal plane through the point: (1, 3, 3, 3)."""
    return turned_planes(torch.eye(3, 4).roll(1, dims=1)[None, None])


def symmetric_planes() -> Tensor:
    """Lay the nine planes that halve a cube: three along its faces, six through opposite edges.

    Shape:
        (1, 9, 3, 3)
    """
    axes = torch.eye(3)
    middle = torch.zeros(3)
    planes = [
        torch.stack([middle, axes[kept], (axes[one] + sign * axes[other]) / 2**0.5], -1)
        for kept, (one, other) in enumerate(RUNNING)
        for sign in (1, -1)
    ]
    return torch.cat([axis_planes(), torch.stack(planes)[None]], 1)


def _expect(volumes: Tensor, planes: Tensor, points: Tensor | None) -> None:
    if volumes.ndim != 5:
        raise SettingError(
            f"planes want volumes (B, C, Z, Y, X), found images of {volumes.ndim - 2} axes, "
            f"shape {tuple(volumes.shape)}"
        )
    count = len(volumes)
    if planes.ndim != 4 or planes.shape[2:] != (3, 3) or len(planes) not in (1, count):
        raise SettingError(f"planes wanted (1 or {count}, P, 3, 3), found {tuple(planes.shape)}")
    if points is not None and points.shape != (count, 3):
        raise SettingError(f"points wanted ({count}, 3), found {tuple(points.shape)}")
