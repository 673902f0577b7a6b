"""Heat maps: a network gives each landmark a map of chances over the whole scan.

It is the reference of today beside `landmark_slices`; see `medclf.locate.heat_map`.

Source: Payer, Stern, Bischof, Urschler. Regressing Heatmaps for Multiple Landmark Localization
Using CNNs. MICCAI 2016.
"""

from medclf.systems.ways import learn_way, open_places
from medclf.systems.work import Work

OPTIONS = {"net": "", "members": 2}
"""The body, "" for the usual one; networks that are trained and averaged."""

open_finder = open_places


def learn(work: Work) -> None:
    """Train the networks."""
    learn_way(work, "heat_map")
