import numpy as np
import pytest
import SimpleITK as sitk

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.errors import SettingError
from medclf.prepare.crop import Box, box_at, box_of_mask, crop

VALUES = np.random.default_rng(0).integers(5, 99, (2, 6, 7, 8))
AXES = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
IMAGE = Image(VALUES, Grid((3.0, 0.5, 1.5), (-9.0, 4.0, 70.0), AXES))


def test_inside_it_is_a_view():
    cut, placement = crop(IMAGE, Box((1, 2, 3), (4, 5, 8)))
    np.testing.assert_array_equal(cut.values, VALUES[:, 1:4, 2:5, 3:8])
    assert np.shares_memory(cut.values, VALUES)
    assert placement.to_image(np.zeros(3)).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "box", [Box((-2, 3, 0), (3, 9, 8)), Box((-5, -5, -5), (20, 20, 20)), Box((9, 0, 0), (12, 7, 8))]
)
def test_outside_lies_the_least_value(box):
    cut, placement = crop(IMAGE, box)
    shape = tuple(b - a for a, b in zip(box.start, box.stop, strict=True))
    assert cut.space == shape
    points = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    places = placement.to_image(points).astype(int)
    inside = ((places >= 0) & (places < VALUES.shape[1:])).all(-1)
    z, y, x = places[inside].T
    np.testing.assert_array_equal(cut.values[:, inside], VALUES[:, z, y, x])
    assert (cut.values[:, ~inside] == VALUES.min()).all()
    np.testing.assert_allclose(cut.grid.to_mm(points), IMAGE.grid.to_mm(places))


def test_box_of_a_mask_is_that_of_simpleitk():
    mask = np.random.default_rng(2).uniform(size=(9, 10, 11)) > 0.99
    box = box_of_mask(mask)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(sitk.GetImageFromArray(mask.astype(np.uint8)))
    x, y, z, *sizes = shape.GetBoundingBox(1)
    assert box.start == (z, y, x)
    assert box.stop == tuple(a + n for a, n in zip((z, y, x), sizes[::-1], strict=True))
    wider = box_of_mask(mask, (1, 0, 2))
    assert (wider.start, wider.stop[2]) == ((z - 1, y, x - 2), box.stop[2] + 2)


def test_box_at_a_point():
    """The point lies within half a sample of the middle."""
    for at in ([3.0, 4.0, 5.0], [0.2, 6.4, 0.0], [2.5, 3.49, 7.3]):
        point = IMAGE.grid.to_mm(np.array(at))
        box = box_at(IMAGE, at, (3.0, 4.0, 3.2))
        assert [b - a for a, b in zip(box.start, box.stop, strict=True)] == [3, 4, 3]
        cut, _ = crop(IMAGE, box)
        middle = (np.array(cut.space) - 1) / 2
        assert np.abs(cut.grid.from_mm(point) - middle).max() <= 0.5 + 1e-9


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: Box((0, 3), (5, 3)), r"a box wanted, found none from \(0, 3\) to \(5, 3\)"),
        (lambda: box_of_mask(np.zeros((3, 4), bool)), r"found an empty one of \(3, 4\)"),
        (lambda: box_at(IMAGE, (0, 0, 8.6), (9.0, 1.0, 1.0)), "a point in the image wanted"),
    ],
)
def test_what_cannot_be_cut_is_refused(work, message):
    with pytest.raises(SettingError, match=message):
        work()
