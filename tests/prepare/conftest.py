"""Small pictures on disk, and records that point to them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from medclf.core.record import Record, Source

Make = Callable[..., tuple[Record, ...]]


@pytest.fixture
def make_pictures(tmp_path: Path) -> Make:
    """Write PNG files of noise; the same seed gives the same ones."""

    def make(count: int, edge: int = 8, seed: int = 0, folder: str = "data") -> tuple[Record, ...]:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        rng = np.random.default_rng(seed)
        records = []
        for number in range(count):
            path = place / f"{number:03d}.png"
            Pillow.fromarray(rng.integers(0, 256, (edge, edge), dtype=np.uint8)).save(path)
            records.append(Record(path.name, {"image": Source(path)}, path.name))
        return tuple(records)

    return make
