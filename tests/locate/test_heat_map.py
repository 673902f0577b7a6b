"""Maps of chances whose places are known."""

import math

import pytest
import torch

from medclf.errors import SettingError
from medclf.locate.heat_map import SPREAD, HeatMap
from medclf.locate.sought import Sought
from medclf.locate.ways import build_way
from medclf.look.augment import Augment
from medclf.look.views import Views

SIZES = pytest.mark.parametrize("size", [(32, 24), (24, 16, 20)])
NAN = float("nan")


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def make(size, landmarks=2, **settings) -> HeatMap:
    names = tuple("abcdef"[:landmarks])
    return build_way(Sought("heat_map", names, 1, size, **settings), chance())


def perfect(finder, at, nowhere=1e-4):
    """Make the answer that knows the places."""
    cells = (at + 0.5) * torch.tensor(finder.pyramid.space) / torch.tensor(finder.size) - 0.5
    axes = [torch.arange(n) for n in finder.pyramid.space]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).flatten(0, -2)
    far = (grid - cells[:, :, None]).square().sum(-1)
    there = (-far / (2 * SPREAD**2)).log_softmax(-1) + math.log(1 - nowhere)
    return torch.cat([torch.full((*at.shape[:2], 1), math.log(nowhere)), there], -1)


@SIZES
def test_places_are_read_off_between_the_samples(size, places):
    finder, at = make(size), places(size)
    found, scores = finder.decide(perfect(finder, at))
    assert torch.allclose(found, at, atol=0.05)
    assert (scores > 0.95).all()
    _, unsure = finder.decide(perfect(finder, at, nowhere=0.9))
    assert torch.allclose(unsure, scores * 0.1, atol=1e-3)


@SIZES
def test_the_right_answer_costs_least(size, places):
    finder, at = make(size), places(size)
    right = finder.loss(perfect(finder, at), at)
    assert finder.loss(perfect(finder, at + 2), at) > right + 0.1
    assert finder.loss(perfect(finder, at, nowhere=0.5), at) > right + 0.1


def test_what_is_missing_lies_nowhere_or_outside(places):
    finder = make((32, 24))
    at = places((32, 24))
    answer = perfect(finder, at)
    gone = at.clone()
    gone[0, 0] = NAN
    outside = at.clone()
    outside[0, 0, 0] = 33.0
    assert finder.loss(answer, gone) == finder.loss(answer, outside) > finder.loss(answer, at)


@SIZES
def test_a_way_is_built_alike_from_a_seed_and_gives_chances(size):
    one, other = make(size), make(size)
    views = Views(torch.rand(2, 1, 1, *size, generator=chance(1)))
    out = one.eval()(views)
    assert torch.equal(out, other.eval()(views))
    assert torch.allclose(out.exp().sum(-1), torch.ones(2, 2))
    assert torch.allclose(out[:, :, 0].exp(), torch.full((2, 2), 0.5), atol=0.15)


def test_training_moves_images_with_their_places(places):
    finder = make((32, 24), changes=Augment(shift=0.2, brightness=0, contrast=0))
    views, at = Views(torch.zeros(1, 1, 1, 32, 24)), places((32, 24)).round()
    for place in at[0].long():
        views.values[0, 0, 0][tuple(place)] = 1
    seen, moved = finder.blend(views, at, chance())
    assert not torch.allclose(moved, at, atol=0.5)
    near = seen.values[0, 0, 0]
    for y, x in moved[0].floor().long():
        assert near[y : y + 2, x : x + 2].sum() > 0.5


def test_unknown_ways_and_settings_are_refused():
    with pytest.raises(SettingError, match="'heatmap'; did you mean 'heat_map'"):
        build_way(Sought("heatmap", ("a",), 1, (32, 32)), chance())
    with pytest.raises(
        SettingError, match="heat_map has no setting 'spred'; did you mean 'spread'"
    ):
        make((32, 32), settings={"spred": 2})
    with pytest.raises(SettingError, match="a spread above 0 cells wanted, found 0"):
        make((32, 32), settings={"spread": 0})
    with pytest.raises(SettingError, match=r"different names wanted, found \('a', 'a'\)"):
        Sought("heat_map", ("a", "a"), 1, (32, 32))
