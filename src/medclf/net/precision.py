"""Which parts of a network stay out of autocast."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn


def without_autocast(device: torch.device) -> AbstractContextManager[None]:
    """Switch autocast off where it is on; elsewhere stay out of the graph that an export sees.

    Example:
        >>> with torch.autocast("cpu", dtype=torch.bfloat16), without_autocast(torch.device("cpu")):
        ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        torch.float32
    """
    return torch.autocast(device.type, enabled=False) if autocasts(device) else nullcontext()


def autocasts(device: torch.device) -> bool:
    """Tell whether autocast is on for a device, which some have not."""
    kind = device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


class MaxPool3d(nn.MaxPool3d):
    """`torch.nn.MaxPool3d` in the precision of its input.

    Autocast on CPUs turns the whole map to float32 for it and back again, though a maximum is
    exact in any precision.
    """

    def forward(self, x: Tensor) -> Tensor:
        with without_autocast(x.device):
            out: Tensor = super().forward(x)
        return out
