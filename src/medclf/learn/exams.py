"""Exams as the loop wants them: batches of standardised tensors, straight from the store."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Rows(Protocol):
    """What gives prepared exams by number, copied: a `Store`, or arrays in memory."""

    def batch(self, indices: NDArray[np.int64]) -> NDArray[np.generic]: ...


@dataclass(frozen=True)
class Exams:
    """Prepared exams, their targets, and how values are standardised.

    Args:
        rows: Prepared values by number, (C, *size) each.
        target: Share of each class, (N, K) float32.
        mean: Mean of each channel over the training exams.
        deviation: Standard deviation of each channel over the training exams.
        device: Where tensors go.
    """

    rows: Rows
    target: Tensor
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    device: torch.device

    def batch(self, indices: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Take exams with their targets: (B,) -> (B, C, *space), (B, K)."""
        return self.values(indices), self.target[indices].to(self.device)

    def values(self, indices: NDArray[np.int64]) -> Tensor:
        """Take exams as standardised float tensors: (B,) -> (B, C, *space)."""
        values = torch.from_numpy(self.rows.batch(indices)).to(self.device).float()
        shape = (1, -1, *[1] * (values.ndim - 2))
        mean = values.new_tensor(self.mean).view(shape)
        scale = values.new_tensor(self.deviation).view(shape).reciprocal()
        return values.sub_(mean).mul_(scale)


def measure_values(
    rows: Rows, indices: NDArray[np.int64], most: int = 2000
) -> dict[str, list[float]]:
    """Measure evenly chosen exams: what standardises them, and what is usual for them.

    Args:
        most: Exams looked at; more would not change the figures that matter.

    Returns:
        `mean` and `deviation` of each channel; `range`, the least and largest mean value of an
        exam, each moved outwards by half of their distance.
    """
    chosen = indices[:: max(1, len(indices) // most)]
    total, square, count = 0.0, 0.0, 0
    means: list[float] = []
    for part in np.array_split(chosen, max(1, len(chosen) // 64)):
        values = rows.batch(part).astype(np.float64)
        axes = (0, *range(2, values.ndim))
        total, square = total + values.sum(axes), square + (values**2).sum(axes)
        count += values.size // values.shape[1]
        means += values.reshape(len(values), -1).mean(1).tolist()
    mean = np.atleast_1d(total / count)
    deviation = np.sqrt(np.maximum(np.atleast_1d(square / count) - mean**2, 1e-12))
    low, high = min(means), max(means)
    room = (high - low) / 2
    return {
        "mean": mean.tolist(),
        "deviation": deviation.tolist(),
        "range": [low - room, high + room],
    }


def standardised(
    rows: Rows, target: Tensor, values: dict[str, list[float]], device: torch.device
) -> Exams:
    """Join rows with how the run standardises them."""
    return Exams(rows, target, tuple(values["mean"]), tuple(values["deviation"]), device)
