"""Votes: what lies about every place tells where the landmarks are, vertebrae as any others.

Votes of the whole scan are gathered by kernel density; a landmark for which few vote is missing.
See `medclf.locate.votes`.

Source: Suzani, Seitel, Liu, Fels, Rohling, Abolmaesumi. Fast Automatic Vertebrae Detection and
Localization in Pathological CT Scans - A Deep Learning Approach. MICCAI 2015.
"""

from medclf.systems.ways import learn_way, open_places
from medclf.systems.work import Work

OPTIONS = {"net": "", "members": 1}
"""The body, "" for the usual one; networks that are trained and averaged."""

BATCH = 4
"""Scans in a step: each has a thousand cubes that vote."""

open_finder = open_places


def learn(work: Work) -> None:
    """Train the networks."""
    learn_way(work, "votes", batch=BATCH)
