"""Maps whose peaks are known."""

import numpy as np
import pytest
import torch

from medclf.core.grid import Grid
from medclf.errors import SettingError
from medclf.locate.peaks import find_peaks

GRID = Grid((3.0, 1.0, 1.0), (-20.0, 5.0, 7.0), np.diag([1.0, -1.0, 1.0]))


def bump(space, *tops, height=1.0, curve=(0.1, 0.02, 0.03)):
    """Make a map of paraboloids, (place, height) each, and 0 elsewhere."""
    found = torch.zeros(space, dtype=torch.float64)
    axes = torch.meshgrid(*(torch.arange(n) for n in space), indexing="ij")
    for place, high in tops:
        steps = zip(axes, place, curve, strict=False)
        found = found.maximum(high - sum(k * (axis - at) ** 2 for axis, at, k in steps))
    return found


def test_places_are_found_between_the_samples_and_in_mm():
    heat = bump((9, 20, 24), ((4.3, 8.25, 9.6), 1.0), ((2.0, 15.6, 20.45), 0.8))
    (found,) = find_peaks(heat[None], [GRID], threshold=0.5, distance_mm=4.0, most=9)
    tops = np.array([[4.3, 8.25, 9.6], [2.0, 15.6, 20.45]])
    assert found.mm == pytest.approx(GRID.to_mm(tops))
    assert found.mm[0] == pytest.approx([-20 + 3 * 4.3, 5 - 8.25, 7 + 9.6])
    assert (np.diff(found.scores) < 0).all()


def test_the_distance_is_one_of_mm():
    """Three samples apart are 9 mm along z and 3 mm along x."""
    heat = torch.zeros(1, 9, 9, 9)
    heat[0, 1, 4, 4], heat[0, 4, 4, 4], heat[0, 4, 4, 7] = 0.7, 0.9, 0.8
    scores = [
        find_peaks(heat, [GRID], 0.5, apart, 9)[0].scores.round(1).tolist()
        for apart in (2.9, 3.1, 9.1)
    ]
    assert scores == [[0.9, 0.8, 0.7], [0.9, 0.7], [0.9]]


def test_a_lesser_peak_on_the_slope_of_a_removed_one_stays():
    """Of peaks at 0, 3 and 6 mm, the middle one falls to the first and does not take the third."""
    heat = torch.zeros(1, 3, 3, 9)
    heat[0, 1, 1, 1], heat[0, 1, 1, 4], heat[0, 1, 1, 7] = 0.9, 0.8, 0.7
    (found,) = find_peaks(heat, [GRID], 0.5, 4.0, 9)
    assert GRID.from_mm(found.mm)[:, 2].tolist() == [1, 7]


def test_maps_of_a_batch_keep_their_own_grids_and_no_more_than_asked():
    heat = torch.stack([bump((12, 30), ((3, 4), 1), ((8, 20), 0.9)), torch.zeros(12, 30)])
    flat = Grid((2.0, 0.5), (0.0, 0.0, 0.0), np.eye(3)[1:])
    moved = Grid((2.0, 0.5), (100.0, 0.0, 0.0), np.eye(3)[1:])
    one, none = find_peaks(heat, [moved, flat], 0.5, 1.0, most=1)
    assert one.mm.round(6).tolist() == [[100, 6, 2]]
    assert (none.mm.shape, none.scores.shape) == ((0, 3), (0,))


def test_a_plateau_gives_points_that_lie_apart_and_edges_stay_in_the_map():
    heat = torch.full((1, 4, 12, 12), -torch.inf)
    heat[0, 0] = 1
    (found,) = find_peaks(heat, [GRID], 0.5, 5.0, most=99)
    gaps = np.linalg.norm(found.mm[:, None] - found.mm[None], axis=-1)
    assert 4 <= len(found.mm) <= 9
    assert gaps[~np.eye(len(gaps), dtype=bool)].min() > 5
    assert (GRID.from_mm(found.mm)[:, 0] == 0).all()


@pytest.mark.parametrize(
    ("heat", "how", "told"),
    [
        (torch.zeros(1, 4, 4, 4), (0.5, -1.0, 9), "a distance from 0 mm"),
        (torch.zeros(1, 4, 4, 4), (0.5, 1.0, 0), "1 peak or more wanted"),
        (torch.zeros(1, 4, 4, 4), (float("nan"), 1.0, 9), "threshold nan"),
        (torch.zeros(2, 4, 4, 4), (0.5, 1.0, 9), r"B grids wanted, found \(2, 4, 4, 4\) and 1"),
        (torch.full((1, 4, 4, 4), torch.nan), (0.5, 1.0, 9), "found 64 that are nan"),
    ],
)
def test_bad_arguments_are_refused(heat, how, told):
    with pytest.raises(SettingError, match=told):
        find_peaks(heat, [GRID], *how)


def test_a_map_without_a_place_is_refused():
    with pytest.raises(SettingError, match="a place in the patient wanted, found no origin"):
        find_peaks(torch.zeros(1, 4, 4, 4), [Grid((1.0, 1.0, 1.0))], 0.5, 1.0, 9)
