"""A training of a system: what it learns from, and where what it learnt goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medclf.core.image import Image
from medclf.locate.scans import Scan
from medclf.systems.search import Search
from medclf.systems.volume import kept_volume
from medclf.watch import Watch


@dataclass(frozen=True)
class Work:
    """A training of a system.

    Args:
        folder: Of the system.
        search: What is sought.
        scans: All of them, in splits; their targets in mm.
        volumes: Where each of them lies prepared, by name.
        watch: Told how far it is.
    """

    folder: Path
    search: Search
    scans: Sequence[Scan]
    volumes: Mapping[str, Path]
    watch: Watch

    @property
    def learnt(self) -> list[Scan]:
        """The scans of training and validation."""
        return [scan for scan in self.scans if scan.split != "test"]

    def option(self, name: str) -> Any:
        """Give an option of the system."""
        return self.search.options[name]

    def volume(self, scan: Scan) -> Image:
        """Read a prepared scan."""
        return kept_volume(self.volumes[scan.name])
