"""Slices in order: a volume as a sequence of pictures, each with its neighbours if asked.

Source: Bien et al. Deep-Learning-Assisted Diagnosis for Knee Magnetic Resonance Imaging. PLOS
Medicine, 2018 (all slices of a series); Han. Automatic Liver Lesion Segmentation Using a
Deep Convolutional Neural Network Method. 2017 (neighbours as channels).
"""

import torch
from torch import Tensor

from medclf.errors import SettingError


def middles(edge: int, most: int | None = None) -> list[int]:
    """Number the slices that are seen, from 0: the middle of each of so many parts of a volume.

    Example:
        >>> middles(30, 4)
        [3, 11, 18, 26]
    """
    views = edge if most is None else min(most, edge)
    return [(2 * part + 1) * edge // (2 * views) for part in range(views)]


def ordered_slices(
    volumes: Tensor, axis: int = 0, most: int | None = None, neighbours: int = 0
) -> Tensor:
    """See each volume as its slices along an axis, the first one first.

    Args:
        volumes: Prepared volumes.
        axis: That the slices follow each other along, z first.
        most: Slices at most: the volume is parted into so many, and the middle of each part is
            seen. If `None`, every slice.
        neighbours: Slices on each side that become further channels, in order; the border is
            repeated. The channels of one slice stay together.

    Shape:
        (B, C, Z, Y, X) -> (B, V, (1 + 2 neighbours) C, Y, X), or with the other axes that remain

    Raises:
        SettingError: the images have no three axes, or an argument is out of its range.

    Example:
        >>> ordered_slices(torch.rand(2, 1, 30, 8, 8), most=10, neighbours=1).shape
        torch.Size([2, 10, 3, 8, 8])
    """
    if volumes.ndim != 5:
        raise SettingError(f"slices want (B, C, Z, Y, X), found shape {tuple(volumes.shape)}")
    if axis not in (0, 1, 2) or neighbours < 0 or (most is not None and most < 1):
        raise SettingError(
            "axis 0 to 2, neighbours from 0 and most from 1 up wanted, "
            f"found {axis}, {neighbours}, {most}"
        )
    edge = volumes.shape[2 + axis]
    middle = torch.tensor(middles(edge, most))
    beside = torch.arange(-neighbours, neighbours + 1)
    chosen = (middle[:, None] + beside).clamp(0, edge - 1).to(volumes.device)
    stack = volumes.movedim(2 + axis, 1)  # (B, edge, C, *plane)
    seen = stack.index_select(1, chosen.flatten())
    return torch.unflatten(seen, 1, chosen.shape).flatten(2, 3)
