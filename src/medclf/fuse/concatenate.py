"""Views side by side: what each view shows goes to the last layer unmixed.

Each view has a place of its own, so the last layer can weigh the third plane differently from the
first. Zeros stand in the place of an absent view.

Source: Setio et al. Pulmonary Nodule Detection in CT Images: False Positive Reduction Using
Multi-View Convolutional Networks. IEEE Transactions on Medical Imaging 2016 (late fusion).
"""

from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.fuse.fuser import settle


class SideBySide(nn.Module):
    """Put the features of the views one behind the other.

    Args:
        width: Features of each view.
        views: How many, the absent ones included.

    Shape:
        (B, views, width), (B, views) -> (B, views * width)
    """

    def __init__(self, width: int, views: int) -> None:
        super().__init__()
        self.views, self.features = views, width * views

    def forward(self, features: Tensor, present: Tensor | None = None) -> Tensor:
        seen, _ = settle(features, present)
        if seen.shape[1] != self.views:
            raise SettingError(f"{self.views} views of each exam wanted, found {seen.shape[1]}")
        return seen.flatten(1)
