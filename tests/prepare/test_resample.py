"""Resampling is pinned to Pillow in 2D and to SimpleITK in 3D."""

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image as Pillow

from medclf.prepare.resample import axis_weights, place_samples, resample


@pytest.mark.parametrize("space", [(28, 28), (61, 47), (300, 200), (5, 90), (1, 7)])
@pytest.mark.parametrize("size", [(28, 28), (64, 50), (7, 224), (1, 1)])
def test_picture_is_that_of_pillow(space, size):
    values = np.random.default_rng(0).uniform(0, 255, space).astype(np.float32)
    theirs = Pillow.fromarray(values).resize(size[::-1], Pillow.Resampling.BILINEAR)
    steps = tuple(n / m for n, m in zip(space, size, strict=True))
    np.testing.assert_allclose(resample(values[None], steps, size)[0], theirs, atol=2e-3)


def test_nothing_to_do_gives_back_the_very_array():
    values = np.zeros((1, 4, 5), np.uint8)
    assert resample(values, (1.0, 1.0), (4, 5)) is values


def test_channels_do_not_mix():
    values = np.random.default_rng(0).uniform(size=(3, 20, 30, 10)).astype(np.float32)
    together = resample(values, (2.0, 0.7, 1.0), (10, 40, 12))
    for channel in range(3):
        alone = resample(values[channel : channel + 1], (2.0, 0.7, 1.0), (10, 40, 12))
        np.testing.assert_array_equal(together[channel], alone[0])


def test_shrinking_does_not_alias():
    """A checkerboard of single samples is grey from afar."""
    board = (np.indices((64, 64)).sum(0) % 2).astype(np.float32)[None]
    np.testing.assert_allclose(resample(board, (8.0, 8.0), (8, 8)), 0.5, atol=0.01)


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (6, 4, [1, 2, 3, 4]),
        (5, 4, [0, 1, 2, 3]),
        (4, 4, [0, 1, 2, 3]),
        (3, 4, [0, 1, 2, -1]),
        (2, 4, [-1, 0, 1, -1]),
        (1, 4, [-1, 0, -1, -1]),
    ],
)
def test_crop_and_pad_about_the_middle_to_the_bit(old, new, kept):
    values = np.random.default_rng(0).uniform(1, 2, (1, old, 2)).astype(np.float32)
    wanted = [values[0, i, 0] if i >= 0 else 0 for i in kept]
    assert resample(values, (1.0, 1.0), (new, 2))[0, :, 0].tolist() == wanted


def _by_sitk(values, found_mm, wanted_mm, size):
    """Resample to a spacing about the middle, then crop or pad, as SimpleITK does it."""
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(found_mm[::-1])
    extent = [n * mm for n, mm in zip(values.shape, found_mm, strict=True)]
    inside = [max(1, round(e / mm)) for e, mm in zip(extent, wanted_mm, strict=True)]
    sides = zip(extent, found_mm, wanted_mm, inside, strict=True)
    origin = [e / 2 - have / 2 - (n - 1) / 2 * want for e, have, want, n in sides]
    image = sitk.Resample(
        image, inside[::-1], sitk.Transform(), sitk.sitkLinear, origin[::-1], wanted_mm[::-1]
    )
    lack = [max(0, want - n) for want, n in zip(size, inside, strict=True)]
    image = sitk.ConstantPad(
        image, [n // 2 for n in lack[::-1]], [n - n // 2 for n in lack[::-1]], 0.0
    )
    over = [max(0, n - want) for want, n in zip(size, inside, strict=True)]
    image = sitk.Crop(image, [n // 2 for n in over[::-1]], [n - n // 2 for n in over[::-1]])
    return sitk.GetArrayFromImage(image)


@pytest.mark.parametrize("size", [(24, 30, 28), (9, 64, 33)])
def test_finer_volume_is_that_of_simpleitk(size):
    values = np.random.default_rng(0).uniform(size=(9, 20, 17)).astype(np.float32)
    found_mm, wanted_mm = (3.0, 1.5, 1.25), (1.3, 0.7, 1.25)
    steps = tuple(w / f for w, f in zip(wanted_mm, found_mm, strict=True))
    theirs = _by_sitk(values, found_mm, wanted_mm, size)
    np.testing.assert_allclose(resample(values[None], steps, size)[0], theirs, atol=1e-5)


@pytest.mark.parametrize("size", [(8, 12, 11), (20, 30, 5)])
@pytest.mark.parametrize(
    ("wanted_mm", "samples"), [((3.0, 2.4, 4.0), 1e-5), ((2.6, 2.0, 5.5), 0.08)]
)
def test_coarser_volume_lies_where_simpleitk_puts_it(size, wanted_mm, samples):
    """A ramp tells each sample's place. A triangle of whole steps does not move it; one of others
    moves it by a few hundredths of a sample, as in Pillow.
    """
    found_mm = (1.0, 0.8, 2.0)
    steps = tuple(w / f for w, f in zip(wanted_mm, found_mm, strict=True))
    for ramp in np.indices((40, 50, 30), dtype=np.float32):
        theirs = _by_sitk(ramp + 1000, found_mm, wanted_mm, size)
        ours = resample(ramp[None] + 1000, steps, size)[0]
        np.testing.assert_array_equal(ours == 0, theirs == 0)
        inner = tuple(slice((n + 1) // 2 - 2, (n + 1) // 2 + 2) for n in size)
        np.testing.assert_allclose(ours[inner], theirs[inner], atol=samples, rtol=1e-6)


def test_rows_sum_to_one_inside_and_to_nothing_outside():
    for old, step, new in [(30, 1.7, 30), (30, 0.4, 50), (7, 3.0, 9), (1, 1.0, 3)]:
        sums = axis_weights(old, step, new).sum(1)
        assert np.all((np.abs(sums - 1) < 1e-6) | (sums == 0))
        assert int((sums != 0).sum()) == min(new, max(1, round(old / step)))


@pytest.mark.parametrize("space", [(28, 28), (61, 47), (5, 90)])
@pytest.mark.parametrize("size", [(64, 50), (7, 224)])
def test_cubic_picture_is_that_of_pillow(space, size):
    values = np.random.default_rng(0).uniform(0, 255, space).astype(np.float32)
    theirs = Pillow.fromarray(values).resize(size[::-1], Pillow.Resampling.BICUBIC)
    steps = tuple(n / m for n, m in zip(space, size, strict=True))
    np.testing.assert_allclose(resample(values[None], steps, size, 3)[0], theirs, atol=3e-3)


@pytest.mark.parametrize(("order", "theirs"), [(0, sitk.sitkNearestNeighbor), (1, sitk.sitkLinear)])
@pytest.mark.parametrize("wanted_mm", [(1.3, 0.7, 1.25), (4.1, 3.1, 2.9)])
def test_without_antialiasing_it_is_simpleitk(order, theirs, wanted_mm):
    """Also where the volume shrinks, which then leaves samples out."""
    values = np.random.default_rng(0).uniform(size=(9, 20, 17)).astype(np.float32)
    found_mm, size = (3.0, 1.5, 1.25), (9, 11, 10)
    steps = tuple(w / f for w, f in zip(wanted_mm, found_mm, strict=True))
    image = sitk.GetImageFromArray(values)
    place = place_samples(values.shape, steps, size)
    start = [first * mm for first, mm in zip(place.start, found_mm, strict=True)]
    image.SetSpacing(found_mm[::-1])
    true = sitk.GetArrayFromImage(
        sitk.Resample(
            image, size[::-1], sitk.Transform(), theirs, start[::-1], wanted_mm[::-1],
            (1, 0, 0, 0, 1, 0, 0, 0, 1), -1.0,
        )
    )  # fmt: skip
    ours = resample(values[None], steps, size, order, antialias=False)[0]
    inside = (true != -1) & (ours != 0)
    assert inside.mean() > 0.2
    np.testing.assert_allclose(ours[inside], true[inside], atol=1e-5)


def test_the_nearest_sample_makes_no_new_values():
    labels = np.random.default_rng(0).integers(0, 148, (1, 20, 30, 10))
    found = resample(labels, (1.7, 0.6, 2.0), (12, 50, 5), 0)
    assert set(np.unique(found)) <= {0, *np.unique(labels)}


@pytest.mark.parametrize("steps", [(2.0, 0.7), (1.0, 1.0), (3.3, 5.0)])
@pytest.mark.parametrize("size", [(16, 40), (9, 5)])
def test_samples_say_where_they_lie(steps, size):
    """A ramp resampled is a ramp of the places that are stated."""
    space = (31, 28)
    place = place_samples(space, steps, size)
    middle = [(n - 1) / 2 for n in size]
    for axis, ramp in enumerate(np.indices(space, dtype=np.float32)):
        ours = resample(ramp[None], steps, size, antialias=False)[0]
        at = place.to_image(np.moveaxis(np.indices(size), 0, -1))[..., axis]
        inside = (at >= 0) & (at <= space[axis] - 1) & (ours > 0)
        assert inside[tuple(int(m) for m in middle)]
        np.testing.assert_allclose(ours[inside], at[inside], atol=1e-4)
