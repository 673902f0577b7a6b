"""Chance that prefers neither side: what turns, stretches and shifts are drawn from."""

import torch
from torch import Generator, Tensor


def symmetric(shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Draw numbers between -1 and 1, all equally likely."""
    return torch.rand(shape, generator=generator) * 2 - 1
