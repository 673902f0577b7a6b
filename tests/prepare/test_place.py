"""A place in a prepared array is one in the patient and the reverse, whatever the settings."""

from itertools import product

import numpy as np
import pytest

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.prepare.exam import Prepare, place_image
from medclf.read.image import read_image

AXES = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
WAYS = [
    {"spacing_mm": (2.0, 1.5, 1.5)},
    {"spacing_mm": (0.9, 0.7, 3.0), "order": 0},
    {"fit": "letterbox", "order": 3},
    {"fit": "stretch"},
]
TURNS = [{"orientation": o, "crop": c} for o, c in product(("file", "patient"), ("none", "body"))]


def blob(at_mm, grid, shape):
    """Show a blurred point at a place of the patient."""
    where = np.moveaxis(np.indices(shape), 0, -1)
    far = np.linalg.norm(grid.to_mm(where) - at_mm, axis=-1)
    return np.exp(-((far / 6) ** 2) / 2) * 900


def middle_of(values):
    weight = values.astype(float) ** 2
    return np.array([(weight * i).sum() / weight.sum() for i in np.indices(values.shape)])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("turn", TURNS)
def test_a_point_seen_in_the_array_is_the_point_in_the_patient(way, turn):
    grid, shape = Grid((3.0, 1.2, 1.5), (-10.0, 20.0, 5.5), AXES), (24, 50, 44)
    at_mm = grid.to_mm(np.array([12.3, 22.0, 25.5]))
    image = Image(blob(at_mm, grid, shape)[None].astype(np.float32), grid, bits=32)
    settings = Prepare((36, 40, 44), 1, intensity="range", dtype="float16", **way, **turn)
    prepared = place_image(image, settings, "a")
    seen = middle_of(prepared.values[0])
    wanted = prepared.from_mm(at_mm)
    assert np.abs(seen - wanted).max() < (0.6 if way.get("order") == 0 else 0.25)
    assert np.linalg.norm(prepared.to_mm(seen) - at_mm) < 1.2


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("turn", TURNS)
def test_there_and_back_on_real_volumes(real_data, way, turn):
    path = sorted((real_data / "ixi10").rglob("*.nii.gz"))[0]
    settings = Prepare((36, 40, 44), 1, intensity="percentile", dtype="float16", **way, **turn)
    image = read_image(Source(path))
    prepared = place_image(image, settings, str(path))
    points = np.random.default_rng(0).uniform(0, 36, (200, 3))
    back = prepared.from_mm(prepared.to_mm(points))
    assert np.abs(back - points).max() < 0.01
    voxels = prepared.placement.to_image(points)
    again = image.grid.from_mm(prepared.to_mm(points))
    assert np.abs(again - voxels).max() < 0.01


def test_means_of_real_ct_stay(real_data):
    """Resampled in mm, about its middle and whole, a volume keeps its mean in Hounsfield units."""
    path = sorted((real_data / "volumes").glob("*CT*.nii*"))
    if not path:
        pytest.skip("no CT in the folder of volumes")
    image = read_image(Source(path[0]))
    spacing = tuple(2 * mm for mm in image.grid.spacing_mm)
    size = tuple(n // 2 for n in image.space)
    even = tuple(slice(0, 2 * n) for n in size)
    image = Image(image.values[(slice(None), *even)], image.grid, unit="HU", bits=32)
    low, high = float(image.values.min()), float(image.values.max())
    settings = Prepare(size, 1, spacing, intensity="range", dtype="float16")
    found = place_image(image, settings, "a").values.astype(np.float64) * (high - low) + low
    inner = (slice(None), *(slice(1, -1) for _ in size))
    true = image.values[(slice(None), *(slice(2, 2 * n - 2) for n in size))]
    assert found[inner].mean() == pytest.approx(true.mean(), abs=2.0)
