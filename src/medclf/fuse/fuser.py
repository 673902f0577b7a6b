"""What every fuser offers: the features of an exam's views become one feature of the exam.

Views may be absent. What stands in the place of an absent view, NaN and infinity too, changes
neither the answer nor a gradient.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from medclf.errors import SettingError


class Fuser(Protocol):
    """One way to join views. It is an `nn.Module` as well.

    Args:
        features: Length of the feature that comes out.
    """

    features: int

    def __call__(self, features: Tensor, present: Tensor | None = None) -> Tensor:
        """Join the features of views.

        Args:
            features: (B, V, F).
            present: (B, V), which views are there; `None`: all.

        Returns:
            (B, features)

        Raises:
            SettingError: an exam has no view, or the shapes do not fit.
        """

    def parameters(self) -> Iterator[nn.Parameter]:
        """Give the weights that learn."""

    def train(self, mode: bool = True) -> Any:
        """Switch to training, or to use."""


def settle(features: Tensor, present: Tensor | None) -> tuple[Tensor, Tensor]:
    """Put zeros in the place of absent views, and say which views are there.

    Args:
        features: (B, V, F).
        present: (B, V), or `None`: all.

    Returns:
        (B, V, F) and (B, V).

    Raises:
        SettingError: an exam has no view, or the shapes do not fit.
    """
    if features.ndim != 3:
        raise SettingError(f"features (B, V, F) of views wanted, not {tuple(features.shape)}")
    if present is None:
        present = features.new_ones(features.shape[:2], dtype=torch.bool)
    if present.shape != features.shape[:2] or present.dtype != torch.bool:
        raise SettingError(
            f"present: booleans {tuple(features.shape[:2])} wanted, as many as there are views, "
            f"not {present.dtype} {tuple(present.shape)}"
        )
    empty = (~present.any(1)).nonzero().flatten().tolist()
    if empty:
        raise SettingError(f"1 view or more of each exam wanted, none of exams {empty}")
    return features.masked_fill(~present[..., None], 0), present
