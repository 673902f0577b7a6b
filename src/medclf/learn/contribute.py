"""What each view of new exams did to their answers: its own answer, or how far it moved theirs.

Where a method judges views by themselves and averages, a view contributes its own probabilities.
Where it joins views before it judges, a view contributes how far the answer lies from what it would
be without it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medclf.core.prediction import Contribution, Prediction
from medclf.core.record import Record
from medclf.learn.trained import Shares, Trained


def tell_views(
    trained: Trained, records: Sequence[Record], found: Sequence[Prediction], each: Shares
) -> list[Prediction]:
    """Add to predictions what each view did, where exams have several that bear names.

    Args:
        trained: Who predicted.
        records: The exams.
        found: What was predicted.
        each: What their views did, as `Trained.weigh` tells it: (N, V, K).
    """
    looks, alone = trained.members[0].seen.names, trained.members[0].alone
    if each.shape[1] == 1:
        return list(found)
    return [
        replace(one, views=_contributions(one, name_views(list(record.images), looks), did, alone))
        for one, record, did in zip(found, records, each, strict=True)
    ]


def name_views(images: Sequence[str], looks: Sequence[str]) -> list[str]:
    """Name the views of an exam: its images, what is seen of its image, or both.

    Example:
        >>> name_views(["left", "right"], ["look 1", "look 2"])
        ['left, look 1', 'left, look 2', 'right, look 1', 'right, look 2']
    """
    if not looks:
        return list(images)
    if len(images) == 1:
        return list(looks)
    return [f"{image}, {look}" for image in images for look in looks]


def _contributions(
    one: Prediction, names: Sequence[str], each: Shares, alone: bool
) -> tuple[Contribution, ...]:
    """Tell what the views did: (V, K), NaN from where the exam has no more of them."""
    told = each[: len(names)]
    if len(names) == 1 or not np.isfinite(told).all():
        return ()
    if alone:
        pairs = zip(names, told.tolist(), strict=True)
        return tuple(Contribution(name, alone=tuple(shares)) for name, shares in pairs)
    moved = np.array(one.probabilities) - told
    pairs = zip(names, moved.tolist(), strict=True)
    return tuple(Contribution(name, moved=tuple(shares)) for name, shares in pairs)
