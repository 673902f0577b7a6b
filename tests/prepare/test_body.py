import numpy as np
import pytest
import SimpleITK as sitk

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.prepare.body import body_box, otsu
from medclf.prepare.exam import Prepare, place_image
from medclf.read.image import read_image


def ellipse(shape, middle, radii):
    where = [(i - m) / r for i, m, r in zip(np.indices(shape), middle, radii, strict=True)]
    return sum(part**2 for part in where) <= 1


def covers(box, start, stop, wider):
    """The box holds all, and reaches no further than `wider` beyond on each side."""
    sides = zip(box.start, box.stop, start, stop, wider, strict=True)
    return all(a - w <= first <= a and b <= last <= b + w for first, last, a, b, w in sides)


def test_body_in_ct_without_table_and_air():
    shape = (20, 200, 240)
    rng = np.random.default_rng(0)
    hu = rng.normal(-1000, 20, shape)
    body = ellipse(shape, (9.5, 90, 120), (99, 60, 80))
    hu[body] = rng.normal(40, 20, int(body.sum()))
    hu[ellipse(shape, (9.5, 90, 90), (99, 30, 25))] = -850  # A lung.
    hu[:, 170:173, 40:200] = 100  # The table, in slices of three samples.
    box = body_box(Image(hu[None].astype(np.float32), unit="HU"))
    assert covers(box, (0, 30, 40), (20, 151, 201), (0, 8, 8))


def test_threshold_is_that_of_simpleitk():
    rng = np.random.default_rng(0)
    for low, high, share in ((0, 100, 0.5), (10, 60, 0.8), (5, 900, 0.2)):
        values = np.where(rng.uniform(size=30_000) < share, low, high) + rng.normal(0, 9, 30_000)
        finder = sitk.OtsuThresholdImageFilter()
        finder.SetNumberOfHistogramBins(256)
        finder.Execute(sitk.GetImageFromArray(values.reshape(100, 300)))
        step = np.ptp(values) / 256
        assert otsu(values) == pytest.approx(finder.GetThreshold(), abs=2 * step)


def test_collimated_picture():
    rng = np.random.default_rng(0)
    values = rng.normal(30, 3, (600, 800))
    values[100:500, 150:700] = rng.normal(500, 150, (400, 550))
    values[20:50, 40:80] = 900  # A burnt-in marker in the shutter.
    box = body_box(Image(values[None].astype(np.float32), modality="DX"))
    assert covers(box, (100, 150), (500, 700), (4, 4))
    bright = Image((1000 - values)[None].astype(np.float32), modality="DX")
    assert body_box(bright) == box


@pytest.mark.parametrize("shape", [(1, 8, 9), (1, 8, 9, 10)])
def test_an_image_of_one_value_stays_whole(shape):
    box = body_box(Image(np.zeros(shape, np.float32)))
    assert (box.start, box.stop) == ((0,) * (len(shape) - 1), shape[1:])


def test_a_picture_without_a_shutter_stays_whole():
    values = np.random.default_rng(0).integers(0, 255, (1, 90, 80), dtype=np.uint8)
    assert body_box(Image(values)).stop == (90, 80)


def test_real_heads_stay_whole_and_lose_air(real_data):
    """All that is bright by the label maps, made by others, lies in the box."""
    path = sorted((real_data / "ixi10").rglob("*.nii.gz"))[0]
    image = read_image(Source(path))
    box = body_box(image)
    front = image.values[0] > otsu(image.values[0])
    inside = front[tuple(slice(a, b) for a, b in zip(box.start, box.stop, strict=True))]
    assert inside.sum() > 0.999 * front.sum()
    assert np.prod(np.subtract(box.stop, box.start)) < 0.95 * front.size


def test_a_cropped_exam_knows_its_place():
    values = np.zeros((1, 40, 50, 60), np.float32)
    values[0, 10:30, 20:40, 30:50] = 100
    image = Image(values, Grid((2.0, 1.0, 1.0), (5.0, 6.0, 7.0), np.eye(3)), bits=32)
    settings = Prepare((11, 11, 11), 1, intensity="range", crop="body", dtype="float16")
    prepared = place_image(image, settings, "a")
    points = prepared.placement.to_image(np.array([[0, 0, 0], [10, 10, 10]]))
    assert np.abs(points - [[9.5, 19.5, 29.5], [29.5, 39.5, 49.5]]).max() <= 1.1
    assert prepared.values.astype(float).mean() > 0.7
