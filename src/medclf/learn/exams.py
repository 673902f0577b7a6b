"""Exams as the loop wants them: batches of standardised tensors, straight from the store."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medclf.look.views import Views
from medclf.prepare.store import Rows


@dataclass(frozen=True)
class Exams:
    """Prepared exams, their targets, and how values are standardised.

    Args:
        rows: Prepared images by number, (C, *size) each.
        target: Share of each class, (N, K) float32.
        mean: Mean of each channel over the training exams.
        deviation: Standard deviation of each channel over the training exams.
        device: Where tensors go.
        facts: What is known about the patients, (N, F), NaN where it is missing; `None` where
            nothing is asked of them.
    """

    rows: Rows
    target: Tensor
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    device: torch.device
    facts: Tensor | None = None

    def batch(self, indices: NDArray[np.int64]) -> tuple[Views, Tensor]:
        """Take exams with their targets: (B,) -> views of all their images, (B, K)."""
        return self.views(indices), self.target[indices].to(self.device)

    def views(self, indices: NDArray[np.int64]) -> Views:
        """Take exams: (B,) -> (B, I, C, *space), an image each where none has several."""
        facts = None if self.facts is None else self.facts[indices].to(self.device)
        rows = self.rows.images[indices]
        if rows.shape[1] == 1:
            return Views(self._values(rows[:, 0]).unsqueeze(1), None, facts)
        rows = rows[:, : int((rows >= 0).sum(1).max())]
        there = rows >= 0
        some = self._values(rows[there])
        values = some.new_zeros((*rows.shape, *some.shape[1:]))
        present = torch.from_numpy(there).to(self.device)
        values[present] = some
        return Views(values, present, facts)

    def some(self, indices: NDArray[np.int64], most: int = 100) -> Views:
        """Take evenly chosen exams out of these, at most so many."""
        return self.views(indices[:: -(-len(indices) // most)])

    def _values(self, rows: NDArray[np.int64]) -> Tensor:
        """Take images as standardised float tensors: (B,) -> (B, C, *space)."""
        values = torch.from_numpy(self.rows.batch(rows)).to(self.device).float()
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
    chosen = rows.images[indices[:: max(1, len(indices) // most)]].ravel()
    chosen = chosen[chosen >= 0]
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
    rows: Rows,
    target: Tensor,
    values: dict[str, list[float]],
    device: torch.device,
    facts: Tensor | None = None,
) -> Exams:
    """Join rows with how the run standardises them, and with what is known of the patients."""
    return Exams(rows, target, tuple(values["mean"]), tuple(values["deviation"]), device, facts)
