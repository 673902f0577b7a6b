import pytest
import torch

from medclf.errors import SettingError
from medclf.look.patches import grid_patches


def images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(7))


def test_patches_of_a_picture_in_reading_order():
    batch = images(2, 3, 8, 12)
    seen = grid_patches(batch, (4, 4))
    assert seen.shape == (2, 6, 3, 4, 4)
    assert torch.equal(seen[:, 1], batch[..., :4, 4:8])
    assert torch.equal(seen[:, 3], batch[..., 4:, :4])


def test_patches_of_a_volume_in_reading_order():
    batch = images(2, 2, 4, 6, 9)
    seen = grid_patches(batch, (2, 3, 3))
    assert seen.shape == (2, 12, 2, 2, 3, 3)
    assert torch.equal(seen[:, 1], batch[..., :2, :3, 3:6])
    assert torch.equal(seen[:, 3], batch[..., :2, 3:, :3])
    assert torch.equal(seen[:, 6], batch[..., 2:, :3, :3])


def test_patches_cover_a_picture_that_they_do_not_part_evenly():
    place = torch.arange(11 * 17.0).view(1, 1, 11, 17)
    assert len(grid_patches(place, (4, 5)).unique()) == 11 * 17


def test_a_single_patch_lies_in_the_middle():
    batch = images(1, 1, 9, 9)
    assert torch.equal(grid_patches(batch, (3, 3), (1, 1))[:, 0], batch[..., 3:6, 3:6])


def test_patches_may_overlap_or_leave_gaps():
    line = torch.arange(10.0).view(1, 1, 1, 10)
    starts = grid_patches(line, (1, 4), (1, 4))[..., 0].flatten()
    assert starts.tolist() == [0, 2, 4, 6]
    assert grid_patches(line, (1, 2), (1, 2))[..., 0].flatten().tolist() == [0, 8]


@pytest.mark.parametrize(
    ("size", "counts"), [((9, 3), ()), ((3,), ()), ((3, 3), (2,)), ((3, 3), (0, 1))]
)
def test_what_does_not_fit_is_refused(size, counts):
    with pytest.raises(SettingError, match="wanted, found"):
        grid_patches(images(1, 1, 8, 8), size, counts)
