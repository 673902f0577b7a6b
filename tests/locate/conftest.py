"""What the tests of landmarks share: two places that lie between samples."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor


@pytest.fixture
def places() -> Callable[[Sequence[int]], Tensor]:
    """Give places in an image of some size: (1, 2, axes) in samples."""
    shares = torch.tensor([[[0.3, 0.62, 0.5], [0.71, 0.4, 0.33]]])
    return lambda size: shares[..., : len(size)] * torch.tensor(size)
