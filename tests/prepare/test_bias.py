"""N4: a planted field is found and taken away; SimpleITK does the finding."""

import sys

import numpy as np
import pytest
import SimpleITK as sitk

from medclf.core.image import Image
from medclf.errors import ReadError, SettingError
from medclf.prepare.bias import correct_bias, find_field
from medclf.prepare.exam import Prepare, prepare_image


def planted(shape=(24, 40, 36)):
    """Two tissues within air, and a field that doubles from one side to the other."""
    rng = np.random.default_rng(0)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    body = z**2 + y**2 + x**2 < 0.8
    core = (z**2 + y**2 + x**2 < 0.3) & body
    true = np.where(core, 300.0, np.where(body, 200.0, 0)) + rng.normal(0, 4, shape) * body
    return true, np.exp(0.35 * (x + 0.5 * y)), body


def spread(values, where):
    """Standard deviation over mean."""
    return values[where].std() / values[where].mean()


def test_a_planted_field_is_flattened():
    true, field, body = planted()
    core = body & (true > 250)
    image = Image((true * field)[None].astype(np.float32), modality="MR")
    found = correct_bias(image, "a.nii").values[0]
    for tissue in (core, body & (true < 250) & (true > 150)):
        assert spread(image.values[0], tissue) > 0.09
        assert spread(found, tissue) < 0.03
    assert found[body].mean() == pytest.approx(image.values[0][body].mean(), rel=0.05)


def test_no_field_stays_no_field():
    true, _, body = planted()
    field = find_field(true.astype(np.float32))
    assert np.abs(field[body] - 1).max() < 0.1


def test_the_field_of_all_samples_is_that_of_simpleitk():
    """Small images are not thinned out, and N4 by itself corrects them just so."""
    true, field, _ = planted((16, 24, 22))
    values = (true * field).astype(np.float32) + 1
    image = sitk.GetImageFromArray(values)
    mask = sitk.OtsuThreshold(image, 0, 1, 256)
    finder = sitk.N4BiasFieldCorrectionImageFilter()
    finder.SetMaximumNumberOfIterations((50, 50, 30))
    theirs = values / sitk.GetArrayFromImage(finder.Execute(image, mask))
    ours = find_field((true * field).astype(np.float32))
    inside = true > 150
    ratio = ours[inside] / theirs[inside]
    assert ratio.std() / ratio.mean() < 0.02


@pytest.mark.parametrize("shape", [(1, 6, 7, 8), (2, 9, 9)])
def test_images_of_one_value_and_pictures_pass(shape):
    image = Image(np.full(shape, 7.0, np.float32), modality="MR")
    np.testing.assert_allclose(correct_bias(image, "a").values, 7.0)


def test_what_has_no_bias_field_is_refused():
    settings = Prepare((4, 4, 4), 1, intensity="range", bias="n4")
    values = np.ones((1, 8, 8, 8), np.float32)
    with pytest.raises(ReadError, match=r"^a\.dcm: an MR image wanted .*found CT"):
        prepare_image(Image(values, modality="CT"), settings, "a.dcm")
    with pytest.raises(ReadError, match=r"4 samples along each axis wanted, found \(3, 8, 8\)"):
        prepare_image(Image(values[:, :3]), settings, "a.nii")


def test_without_simpleitk_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    image = Image(np.random.default_rng(0).normal(9, 1, (1, 8, 8, 8)).astype(np.float32))
    with pytest.raises(SettingError, match=r"pip install '\.\[mr\]'"):
        correct_bias(image, "a")
