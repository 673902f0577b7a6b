"""The published packed data sets that are read as they are."""

from pathlib import Path
from typing import Protocol

from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.read.datasets import cifar, idx, medmnist


class Dataset(Protocol):
    """What the module of a packed data set offers."""

    def recognise(self, path: Path) -> bool:
        """Tell whether DATA are of this kind, without reading them."""

    def read_dataset(self, path: Path) -> Cohort:
        """Read records, labels and splits; no pixels."""

    def packs(self, source: Source) -> bool:
        """Tell by the names in a source whether its image is packed by this kind."""

    def read_packed(self, source: Source) -> Image:
        """Read one image; the file it is packed in is kept for the next."""


DATASETS: tuple[Dataset, ...] = (medmnist, idx, cifar)
"""Asked in this order; no two recognise the same DATA."""
