"""Near and far: the same point at several scales, the lesion and what surrounds it.

Every scale has the same samples: the nearest shows the middle of the image in detail, the
farthest all of it, averaged down rather than skipped.

Source: Shen, Zhou, Yang, Yang, Tian. Multi-scale Convolutional Neural Networks for Lung Nodule
Classification. IPMI 2015.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from medclf.errors import SettingError
from medclf.look.resize import resize


def near_and_far(batch: Tensor, shares: Sequence[float], size: Sequence[int]) -> Tensor:
    """See the middle of each image at several scales.

    Args:
        batch: Images or volumes with the point in their middle.
        shares: Of the edge, one for each scale, each in (0, 1].
        size: Samples of every scale, z first.

    Shape:
        (B, C, *space) -> (B, V, C, *size), V = len(shares), float32

    Raises:
        SettingError: no share is named, or as `resize`.

    Example:
        >>> near_and_far(torch.rand(2, 1, 48, 48), (0.5, 1.0), (24, 24)).shape
        torch.Size([2, 2, 1, 24, 24])
    """
    if not shares:
        raise SettingError("at least one share of the edge wanted, found none")
    return torch.stack([resize(batch, size, share) for share in shares], dim=1)
