import pytest
import torch

from medclf.errors import SettingError
from medclf.look.slices import ordered_slices


def volumes():
    return torch.rand(2, 3, 6, 7, 8, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_slice_in_order(axis):
    batch = volumes()
    seen = ordered_slices(batch, axis)
    assert seen.shape[:3] == (2, batch.shape[2 + axis], 3)
    for number, one in enumerate(seen.unbind(1)):
        assert torch.equal(one, batch.select(2 + axis, number))


def test_neighbours_are_channels_and_the_border_is_repeated():
    batch = volumes()
    seen = ordered_slices(batch, neighbours=1)
    assert seen.shape == (2, 6, 9, 7, 8)
    assert torch.equal(seen[:, 2, 0:3], batch[:, :, 1])
    assert torch.equal(seen[:, 2, 3:6], batch[:, :, 2])
    assert torch.equal(seen[:, 2, 6:9], batch[:, :, 3])
    assert torch.equal(seen[:, 0, 0:3], batch[:, :, 0])
    assert torch.equal(seen[:, 5, 6:9], batch[:, :, 5])


@pytest.mark.parametrize(
    ("most", "chosen"), [(1, [15]), (3, [5, 15, 25]), (30, range(30)), (99, range(30))]
)
def test_slices_are_left_out_evenly(most, chosen):
    depth = torch.arange(30.0).view(1, 1, 30, 1, 1)
    assert ordered_slices(depth, most=most).flatten().tolist() == list(chosen)


@pytest.mark.parametrize("wrong", [{"axis": 3}, {"most": 0}, {"neighbours": -1}])
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        ordered_slices(volumes(), **wrong)


def test_pictures_have_no_slices():
    with pytest.raises(SettingError, match=r"found shape \(1, 1, 8, 8\)"):
        ordered_slices(torch.rand(1, 1, 8, 8))
