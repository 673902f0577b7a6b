"""First weights: drawn from the caller's generator, the same whatever the global one holds.

Source: He, Zhang, Ren, Sun. Delving Deep into Rectifiers: Surpassing Human-Level Performance on
ImageNet Classification. ICCV 2015, equation 14.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Generator, Tensor, nn

from medclf.errors import SettingError

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.LayerNorm)


def initialise(module: nn.Module, generator: Generator) -> None:
    """Draw all weights anew, the same from the same generator whatever the global one holds.

    Convolutions: normal, of variance 2 over fan-out, which keeps the scale of gradients through
    ReLU. Linear layers: normal, of deviation .01, so that the first answers are near even.
    Biases: 0. Norms: identity. A module with a method `draw(generator)` follows its own paper.

    Raises:
        SettingError: a layer has weights and no rule for them.
    """
    if callable(own := getattr(module, "draw", None)):
        own(generator)
    elif isinstance(module, nn.Conv2d | nn.Conv3d):
        fan_out = module.out_channels * prod(module.kernel_size) // module.groups
        fill_normal(module.weight, (2 / fan_out) ** 0.5, generator)
        zero(module.bias)
    elif isinstance(module, nn.Linear):
        fill_normal(module.weight, 0.01, generator)
        zero(module.bias)
    elif isinstance(module, NORMS):
        module.reset_parameters()
    elif any(True for _ in module.parameters(recurse=False)):
        raise SettingError(f"no rule to initialise the weights of {type(module).__name__}")
    else:
        for child in module.children():
            initialise(child, generator)


def fill_normal(weight: Tensor, deviation: float, generator: Generator) -> None:
    """Fill with normal draws of mean 0, on any device and in any memory order alike."""
    _fill(weight, lambda x: x.normal_(0, deviation, generator=generator), generator)


def fill_uniform(weight: Tensor, bound: float, generator: Generator) -> None:
    """Fill with draws between -bound and bound, on any device and in any memory order alike."""
    _fill(weight, lambda x: x.uniform_(-bound, bound, generator=generator), generator)


def zero(bias: Tensor | None) -> None:
    """Set a bias to 0 where there is one."""
    if bias is not None:
        nn.init.zeros_(bias)


def _fill(weight: Tensor, draw: Callable[[Tensor], Any], generator: Generator) -> None:
    fresh = torch.empty(weight.shape, device=generator.device)
    draw(fresh)
    with torch.no_grad():
        weight.copy_(fresh)
