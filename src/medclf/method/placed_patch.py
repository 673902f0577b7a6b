"""A patch that knows where in the body it lies.

Left and right, upper and lower look alike in a patch. So the place of the marked point within the
body, 0 to 1 along each axis, and its distance from the middle plane, join what the network saw; and
its distances from landmarks, where the recipe names some in [facts].

Source: Ghafoorian et al. Location Sensitive Deep Convolutional Neural Networks for Segmentation of
White Matter Hyperintensities. Scientific Reports 7, 2017.
"""

from medclf.method.asked import Asked
from medclf.method.image_and_facts import build as with_facts
from medclf.method.joined import Joined


def build(asked: Asked, hide: float = 0.0) -> Joined:
    """Build the method; its facts are the place of the point.

    Args:
        hide: Chance of a fact to be hidden in training, where some may be missing in use.
    """
    return with_facts(asked, hide=hide, hide_all=0.0)
