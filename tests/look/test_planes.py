import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from medclf.errors import SettingError
from medclf.look.planes import (
    axis_planes,
    crossing_planes,
    sample_planes,
    symmetric_planes,
    turned_planes,
)
from medclf.look.turns import random_turns


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def volumes(*shape):
    return torch.randn(*shape, generator=chance(7))


def expected(batch, planes, pixels, step, points):
    """The same planes by SciPy, point by point, in double precision."""
    run = np.arange(pixels) - (pixels - 1) / 2
    down, right = np.meshgrid(run, run, indexing="ij")
    seen = []
    for volume, group, point in zip(batch.numpy(), planes.double().numpy(), points, strict=True):
        for middle, one_down, one_right in np.moveaxis(group, -1, 1):
            offset = middle[:, None, None] + one_down[:, None, None] * down
            offset = offset + one_right[:, None, None] * right
            place = np.asarray(point)[:, None, None] + np.reshape(step, (-1, 1, 1)) * offset
            seen += [map_coordinates(each, place, order=1, mode="nearest") for each in volume]
    return np.reshape(seen, (len(batch), planes.shape[1], batch.shape[1], pixels, pixels))


@pytest.mark.parametrize("step", [1.0, (0.5, 1.3, 2.0)])
def test_turned_planes_are_those_of_scipy(step):
    batch = volumes(3, 2, 13, 17, 20)
    planes = turned_planes(random_turns(3, 2, chance(), stretch=0.3, shift=2.0))
    points = torch.tensor([[6.0, 8, 9], [0.5, 3.3, 19], [12, -4, 25]])
    seen = sample_planes(batch, planes, 15, step, points)
    assert seen.shape == (3, 6, 2, 15, 15)
    assert np.allclose(seen, expected(batch, planes, 15, step, points), atol=2e-4)


def test_symmetric_planes_are_those_of_scipy():
    batch = volumes(2, 1, 12, 12, 12)
    nine = symmetric_planes()
    found = expected(batch, nine.expand(2, -1, -1, -1), 12, 1.0, np.full((2, 3), 5.5))
    assert np.allclose(sample_planes(batch, nine, 12), found, atol=2e-4)


def test_axis_planes_are_plain_slices():
    batch = volumes(2, 3, 9, 9, 9)
    axial, coronal, sagittal = sample_planes(batch, axis_planes(), 9).unbind(1)
    assert torch.allclose(axial, batch[:, :, 4], atol=1e-4)
    assert torch.allclose(coronal, batch[:, :, :, 4], atol=1e-4)
    assert torch.allclose(sagittal, batch[..., 4], atol=1e-4)


def test_planes_of_even_cubes_pass_between_two_slices():
    batch = volumes(1, 1, 8, 8, 8)
    axial = sample_planes(batch, axis_planes(), 8)[:, 0]
    assert torch.allclose(axial, batch[:, :, 3:5].mean(2), atol=1e-5)


def test_symmetric_planes_halve_the_cube_through_opposite_edges():
    planes = symmetric_planes()[0]
    normals = torch.linalg.cross(planes[..., 1], planes[..., 2])
    assert len({tuple(row) for row in normals.abs().round(decimals=3).tolist()}) == 6
    shown = normals.round(decimals=4).tolist()
    assert len({tuple(row) for row in shown}) == 9
    corners = torch.tensor([[z, y, x] for z in (-1.0, 1) for y in (-1.0, 1) for x in (-1.0, 1)])
    held = (normals @ corners.T).abs() < 1e-6
    assert held.sum(1).tolist() == [0] * 3 + [4] * 6


def test_a_turned_phantom_shows_the_same_in_turned_planes():
    """A phantom that is turned about its middle is seen as before by planes that turn with it."""
    turn = random_turns(1, 1, chance(3))
    axes = turn[0, 0, :, 1:]
    points = torch.stack(torch.meshgrid(*[torch.arange(33.0) - 16] * 3, indexing="ij"), -1)

    def phantom(places):
        near = places - torch.tensor([4.0, -3, 2])
        return torch.exp(-(near**2 / torch.tensor([30.0, 60, 90])).sum(-1))[None, None]

    straight = crossing_planes(phantom(points), torch.eye(3, 4).roll(1, 1)[None, None], 17)
    turned = crossing_planes(phantom(points @ axes), turn, 17)
    assert torch.allclose(straight, turned, atol=0.02)
    assert not torch.allclose(straight, crossing_planes(phantom(points), turn, 17), atol=0.2)


def test_triplets_are_channels_and_phases_stay_together():
    batch = volumes(2, 4, 11, 11, 11)
    turns = random_turns(2, 3, chance())
    seen = crossing_planes(batch, turns, 8)
    assert seen.shape == (2, 3, 12, 8, 8)
    alone = crossing_planes(batch[1:, 2:3], turns[1:], 8)
    assert torch.allclose(seen[1:, :, 2::4], alone, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16])
def test_other_numbers_are_sampled_as_float(dtype):
    batch = (volumes(1, 1, 9, 9, 9) * 20 + 90).to(dtype)
    seen = sample_planes(batch, symmetric_planes(), 9)
    assert seen.dtype == torch.float32
    assert torch.equal(seen, sample_planes(batch.float(), symmetric_planes(), 9))


def test_a_single_slice_is_a_volume_too():
    batch = volumes(1, 1, 1, 9, 9)
    axial = sample_planes(batch, axis_planes(), 9)[:, 0]
    assert torch.allclose(axial, batch[:, :, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("batch", "planes", "points", "said"),
    [
        ((2, 1, 9, 9), axis_planes(), None, r"want volumes .* \(2, 1, 9, 9\)"),
        ((2, 1, 9, 9, 9), axis_planes().expand(3, -1, -1, -1), None, "1 or 2"),
        ((2, 1, 9, 9, 9), axis_planes(), torch.zeros(3, 3), r"points wanted \(2, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(batch, planes, points, said):
    with pytest.raises(SettingError, match=said):
        sample_planes(torch.zeros(batch), planes, 5, points=points)


def test_the_first_and_the_last_slice_are_whole():
    batch = volumes(2, 1, 7, 9, 9)
    for number in (0, 6):
        points = torch.tensor([[float(number), 4, 4]] * 2)
        axial = sample_planes(batch, axis_planes()[:, :1], 9, points=points)[:, 0]
        assert torch.allclose(axial, batch[:, :, number], atol=1e-4)


def test_places_are_exact_to_a_thousandth_of_a_sample():
    ramps = torch.stack(torch.meshgrid(*[torch.arange(48.0)] * 3, indexing="ij"))[None]
    planes = turned_planes(random_turns(1, 5, chance()))
    found = expected(ramps, planes, 27, 1.0, np.full((1, 3), 23.5))
    assert np.allclose(sample_planes(ramps, planes, 27), found, rtol=0, atol=1e-3)
