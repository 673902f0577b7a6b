"""Random turns of a system of axes: every direction in space is as likely as any other.

Normal deviates prefer no direction. One vector of them is the first axis, the part of another that
is at right angles to it the second, and their product the third, so that nothing is mirrored.

Source: Roth et al. A New 2.5D Representation for Lymph Node Detection. MICCAI 2014 (turned,
shifted and scaled; theirs turn about a random axis by a random angle, which prefers small turns);
Stewart. The Efficient Generation of Random Orthogonal Matrices. SIAM Journal on Numerical
Analysis, 1980.
"""

import torch
from torch import Generator, Tensor
from torch.nn.functional import normalize

from medclf.errors import SettingError
from medclf.look.chance import symmetric


def random_turns(
    count: int, views: int, generator: Generator, stretch: float = 0.0, shift: float = 0.0
) -> Tensor:
    """Draw turned, stretched and shifted systems of axes.

    Args:
        count: Volumes.
        views: Turns of each.
        generator: All chance.
        stretch: Largest change of the step between pixels, as a share: 0.2 draws 0.8 to 1.2.
        shift: Largest shift of the point along each axis of the volume, in steps.

    Returns:
        (count, views, 3, 4): for each axis of space, z first, the shift, then the three turned
        axes, z first.

    Raises:
        SettingError: `stretch` is not in [0, 1), or `shift` is negative.
    """
    if not (0 <= stretch < 1 and shift >= 0):
        raise SettingError(f"stretch in [0, 1) and shift from 0 up wanted: {stretch}, {shift}")
    one, other = torch.randn(2, count, views, 3, generator=generator)
    z = normalize(one, dim=-1)
    y = normalize(other - (other * z).sum(-1, keepdim=True) * z, dim=-1)
    axes = torch.stack([z, y, torch.linalg.cross(z, y)], -1)
    scale = 1 + stretch * symmetric((count, views, 1, 1), generator)
    moved = shift * symmetric((count, views, 3, 1), generator)
    return torch.cat([moved, axes * scale], -1)
