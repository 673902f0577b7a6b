"""The stereotypical parts of a network, which every family lets be chosen: activation and norm.

A family has a style of its own, that of its paper; a recipe may change any part of it. Group norm
and standardised weights do not look at the other exams of a batch, so they serve small batches.

Source: Wu, He. Group Normalization. ECCV 2018. Qiao et al. Micro-Batch Training with Batch-Channel
Normalization and Weight Standardization. 2019. Brock, De, Smith. Characterizing Signal Propagation
to Close the Performance Gap in Unnormalized ResNets. ICLR 2021 (its scale). Huang et al. Deep
Networks with Stochastic Depth. ECCV 2016.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd
from typing import Literal, get_args, get_type_hints

import torch
from torch import Tensor, nn

from medclf.errors import SettingError

GROUPS, FEWEST = 32, 8  # groups of a group norm, and channels of a group at least

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}


@dataclass(frozen=True)
class Style:
    """What a network is made of.

    Args:
        activation: "relu", "relu6" (at most 6), "leaky_relu" (slope .01), "gelu" or "silu".
        norm: "batch"; "group" (32 groups, fewer where a group would have under 8 channels);
            "instance"; "weights", no norm of maps but standardised weights with a gain; "plain",
            neither, but biases.
        drop_path: Stochastic depth: chance that the last block with a shortcut is skipped in
            training; earlier ones in proportion to their place.
        volume: In 3D, "full" convolutions, or "acs", which share 2D kernels out over the axial,
            coronal and sagittal planes.
        epsilon: What norms add to the variance.

    Raises:
        SettingError: a part is unknown.
    """

    activation: Literal["relu", "relu6", "leaky_relu", "gelu", "silu"] = "relu"
    norm: Literal["batch", "group", "instance", "weights", "plain"] = "batch"
    drop_path: float = 0.0
    volume: Literal["full", "acs"] = "full"
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        hints = get_type_hints(Style)
        for name in ("activation", "norm", "volume"):
            allowed, found = get_args(hints[name]), getattr(self, name)
            if found not in allowed:
                raise SettingError(f"{name} is one of {', '.join(allowed)}, not {found!r}")
        if not 0 <= self.drop_path < 1:
            raise SettingError(f"drop_path is a chance from 0 to below 1, not {self.drop_path!r}")

    @property
    def normed(self) -> bool:
        """Whether maps are normalised, so that convolutions need no bias."""
        return self.norm in ("batch", "group", "instance")


def count_groups(channels: int) -> int:
    """Count the groups of a group norm.

    Example:
        >>> [count_groups(n) for n in (16, 96, 256, 512)]
        [2, 12, 32, 32]
    """
    return gcd(channels, min(GROUPS, max(1, channels // FEWEST)))


class DropPath(nn.Module):
    """Skip the correction of a block for some exams of a batch, and enlarge it for the others.

    Args:
        chance: Of an exam to be skipped, in training only.
    """

    def __init__(self, chance: float) -> None:
        super().__init__()
        self.chance = chance

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.chance:
            return x
        kept = torch.empty(len(x), *(1,) * (x.ndim - 1), dtype=x.dtype, device=x.device)
        return x * kept.bernoulli_(1 - self.chance).div_(1 - self.chance)


def standardised(weight: Tensor, gain: Tensor) -> Tensor:
    """Give each map's kernel mean 0 and variance 1 over fan-in, times the map's gain.

    Shape:
        (there, here, *kernel), (there,) -> (there, here, *kernel)
    """
    fan = weight[0].numel()
    flat = weight.flatten(1)
    spread, mean = torch.var_mean(flat, dim=1, correction=0, keepdim=True)
    scale = gain[:, None] * (spread * fan + 1e-4).rsqrt()
    return ((flat - mean) * scale).view_as(weight)
