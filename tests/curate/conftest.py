"""What the tests of curating share: smooth random images, no two alike, and rows of tables."""

import csv
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter


def draw_clouds(n: int, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n, *shape))
    smooth = gaussian_filter(noise, (0, *(s / 24 for s in shape)))
    flat = smooth.reshape(n, -1)
    scaled = (smooth - flat.mean()) / flat.std() * 40 + 128
    return scaled.clip(0, 255).astype(np.uint8)[:, None]


@pytest.fixture
def clouds() -> Callable[..., np.ndarray]:
    """Draw uint8 images: (n, shape, seed) -> (n, 1, *shape)."""
    return draw_clouds


@pytest.fixture(params=["folder", "zip"])
def lay(request, tmp_path):
    """Lay out empty files by name, on disk or in a zip; no pixel is read here."""

    def make(*names):
        if request.param == "zip":
            with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
                for name in names:
                    archive.writestr(name, b"")
            return tmp_path / "data.zip"
        for name in names:
            (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / name).write_bytes(b"")
        return tmp_path / "data"

    return make


@pytest.fixture(scope="session")
def table() -> Callable[[Path], list[dict[str, str]]]:
    """Read the rows of a CSV."""

    def read(path: Path) -> list[dict[str, str]]:
        with path.open(newline="") as file:
            return list(csv.DictReader(file))

    return read
