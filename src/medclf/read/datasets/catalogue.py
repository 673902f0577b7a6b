"""The published data sets that medclf knows: what is in each, and how to get it.

Counts are those of the files that can be had today. Of MedMNIST these are version 3, which dropped
109 images of organs and vessels that stand in the paper's tables.

Source: Yang et al. MedMNIST v2. Scientific Data 10:41, 2023, and the package medmnist 3.0.2. LeCun,
Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition. Proceedings of the
IEEE 1998. Krizhevsky. Learning Multiple Layers of Features from Tiny Images. 2009. Russakovsky et
al. ImageNet Large Scale Visual Recognition Challenge. IJCV 2015, table 2.
"""

from dataclasses import dataclass

from medclf.core.task import Kind
from medclf.read.datasets.medmnist_sets import SETS, Published

BY_HAND = "register at image-net.org; a folder per class, below train and val"


@dataclass(frozen=True)
class Dataset:
    """A published data set.

    Args:
        content: What the images show.
        size: Edges in samples, z first; `None` where they differ.
        channels: 1 for grey, 3 for colour.
        classes: How many.
        kind: How they relate, as in `Task`.
        train: Images to learn from.
        val: Images to validate with; 0 where the set has no such part.
        test: Images to test with that have public labels.
        licence: As its publishers state it.
        get: How to get it.
    """

    content: str
    size: tuple[int, ...] | None
    channels: int
    classes: int
    kind: Kind
    train: int
    val: int
    test: int
    licence: str
    get: str


def _medmnist(name: str, one: Published) -> Dataset:
    size = (28,) * (3 if name.endswith("3d") else 2)
    facts = (one.content, size, one.channels, len(one.classes), one.kind, *one.counts)
    return Dataset(*facts, one.licence, f"medclf fetch {name}")


CATALOGUE: dict[str, Dataset] = {
    "mnist": Dataset(
        *("digits, written by hand", (28, 28), 1, 10, "exclusive"),
        *(60_000, 0, 10_000, "CC BY-SA 3.0", "medclf fetch mnist"),
    ),
    "cifar10": Dataset(
        *("small photographs", (32, 32), 3, 10, "exclusive"),
        *(50_000, 0, 10_000, "none stated", "medclf fetch cifar10"),
    ),
    "cifar100": Dataset(
        *("small photographs", (32, 32), 3, 100, "exclusive"),
        *(50_000, 0, 10_000, "none stated", "medclf fetch cifar100"),
    ),
    "imagenet": Dataset(
        *("photographs", None, 3, 1000, "exclusive"),
        *(1_281_167, 50_000, 0, "research only", BY_HAND),
    ),
    **{name: _medmnist(name, one) for name, one in SETS.items()},
}
"""By name, as `medclf fetch` has them. ImageNet (ILSVRC2012) keeps its test labels to itself."""
