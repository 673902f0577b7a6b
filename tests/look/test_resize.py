import numpy as np
import pytest
import torch
from PIL import Image

from medclf.errors import SettingError
from medclf.look.resize import resize


def images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("share", [1.0, 0.5, 0.37])
@pytest.mark.parametrize("size", [(7, 9), (24, 31), (50, 40)])
def test_pictures_are_those_of_pillow(size, share):
    batch = images(2, 3, 24, 31)
    seen = resize(batch, size, share)
    edges = np.array([31, 24])
    box = (*(edges * (1 - share) / 2), *(edges * (1 + share) / 2))
    for found, channel in zip(seen.flatten(0, 1), batch.flatten(0, 1), strict=True):
        wanted = Image.fromarray(channel.numpy()).resize(size[::-1], Image.Resampling.BILINEAR, box)
        assert np.allclose(found, wanted, atol=1e-4)


def test_volumes_are_resized_as_pictures_axis_by_axis():
    batch = images(2, 1, 12, 14, 16)
    whole = resize(batch, (5, 7, 20))
    slices = resize(batch.flatten(1, 2), (7, 20))
    columns = resize(slices.flatten(2).unsqueeze(1), (5, 140))
    assert torch.allclose(whole.flatten(3), columns, atol=1e-5)


def test_a_crop_that_needs_no_resampling_is_a_crop():
    batch = images(1, 2, 12, 12, 12)
    assert torch.allclose(resize(batch, (6, 6, 6), 0.5), batch[..., 3:9, 3:9, 3:9], atol=1e-6)
    assert torch.equal(resize(batch, (12, 12, 12)), batch)


def test_fine_texture_is_averaged_not_skipped():
    stripes = torch.arange(64).remainder(2).float().expand(1, 1, 64, 64)
    assert torch.allclose(resize(stripes, (16, 16))[..., 1:-1], torch.tensor(0.5), atol=0.02)


@pytest.mark.parametrize(("size", "share"), [((5,), 1.0), ((5, 0), 1.0), ((5, 5), 0.0)])
def test_what_does_not_fit_is_refused(size, share):
    with pytest.raises(SettingError, match=r"wanted|share"):
        resize(images(1, 1, 8, 8), size, share)
