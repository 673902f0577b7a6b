"""Votes whose places are known."""

import pytest
import torch

from medclf.errors import SettingError
from medclf.locate.sought import Sought
from medclf.locate.votes import Votes
from medclf.locate.ways import build_way
from medclf.look.augment import Augment
from medclf.look.views import Views

SIZES = pytest.mark.parametrize("size", [(32, 24), (20, 24, 16)])
STILL = Augment(rotate_degrees=0, scale=0, shift=0, brightness=0, contrast=0)


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def make(size, channels=1, **settings) -> Votes:
    sought = Sought("votes", ("a", "b"), channels, size, settings=settings, changes=STILL)
    return build_way(sought, chance())


def perfect(finder, at, doubt=-2.0, presence=6.0):
    """Make the answer of a network that knows the places: (1, L, axes + 2, *cells)."""
    screen, dims = finder.screen, len(finder.size)
    cells = [n // step + 1 for n, step in zip(finder.size, screen.step, strict=True)]
    axes = [torch.arange(n) * step - 0.5 for n, step in zip(cells, screen.step, strict=True)]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    away = (at.view(1, -1, dims, *[1] * dims) - grid) / finder.unit
    shape = (*away.shape[:2], 1, *cells)
    return torch.cat([away, torch.full(shape, doubt), torch.full(shape, presence)], 2)


@SIZES
def test_blocks_know_the_way_to_the_places(size, places):
    """Each sample holds its own place, so that a block tells where it was cut out."""
    dims = len(size)
    axes = torch.meshgrid(*(torch.arange(n).float() for n in size), indexing="ij")
    finder, at = make(size, channels=dims, block=18), places(size)
    at[0, 1] = torch.nan
    views = Views(torch.stack(axes)[None, None])
    corners = set()
    for seed in range(4):
        blocks, target = finder.blend(views, at, chance(seed))
        block = blocks.values[0, 0]
        assert block.shape == (dims, *[18] * dims)
        for axis in range(dims):  # a sample of the image, wherever the block lies
            along = block[axis].movedim(axis, 0).flatten(1)[:, 0]
            inner = int(along.argmin()) if along.min() > 0 else int((along == 0).nonzero()[-1])
            corner = float(along[inner]) - inner
            assert target[0, 0, axis] == pytest.approx(float(at[0, 0, axis]) - corner, abs=1e-4)
            corners.add(corner)
        assert target[0, 0, dims] == 1
        assert target[0, 1, :dims].isnan().all()
        assert target[0, 1, dims] == 0
    assert len(corners) > 2


@SIZES
def test_votes_that_agree_give_the_place(size, places):
    finder, at = make(size), places(size)
    found, scores = finder.decide(perfect(finder, at))
    assert torch.allclose(found, at, atol=0.5)  # what falls into a sample counts for its middle
    assert (scores > 0.85).all()
    scattered = perfect(finder, at)
    scattered[:, :, 0] += 0.2 * torch.randn(scattered[:, :, 0].shape, generator=chance())
    near, less = finder.decide(scattered)
    assert torch.allclose(near, at, atol=1.5)
    assert (less < scores - 0.2).all()


@SIZES
def test_votes_outside_or_against_it_say_missing(size, places):
    finder, at = make(size), places(size)
    at[0, 1, 0] = size[0] + 3.0
    _, scores = finder.decide(perfect(finder, at))
    assert scores[0, 1] == 0
    _, denied = finder.decide(perfect(finder, places(size), presence=-6.0))
    assert (denied < 0.01).all()


def test_sure_votes_outweigh_unsure_ones(places):
    finder, at = make((32, 24)), places((32, 24))
    mixed, wrong = perfect(finder, at), perfect(finder, at + 6, doubt=0.0)
    mixed[..., 2:] = wrong[..., 2:]  # a few cells are right and sure, all others wrong and unsure
    found, _ = finder.decide(mixed)
    assert torch.allclose(found, at, atol=0.5)


def test_what_is_missing_is_not_counted_and_the_right_answer_costs_least(places):
    finder, at = make((32, 24)).train(), places((32, 24))
    target = torch.cat([at + 8, torch.ones(1, 2, 1)], -1)  # in samples of a block, as `blend` tells
    out = perfect(finder, at).requires_grad_()
    right = finder.loss(out, target)
    assert finder.loss(out, torch.cat([target[..., :2] + 4, target[..., 2:]], -1)) > right + 0.1
    target[:, 1, :2], target[:, 1, 2] = torch.nan, 0
    finder.loss(out, target).backward()
    assert out.grad.isfinite().all()
    assert (out.grad[:, 1, :3] == 0).all()
    assert (out.grad[:, 1, 3] > 0).all()


def test_in_use_every_cell_is_the_answer_to_its_cube():
    finder = make((32, 24)).eval()
    image = torch.rand(1, 1, 32, 24, generator=chance(1))
    with torch.inference_mode():
        votes = finder(Views(image[:, None]))
        cube = finder._widen(image)[:, :, 10:26, 4:20]
        alone = finder.screen.network(cube).view(2, 4)
    assert votes.shape == (1, 2, 4, 17, 13)
    assert torch.allclose(votes[0, :, :, 5, 2], alone, atol=1e-4)


def test_a_body_that_cannot_screen_is_refused():
    sought = Sought("votes", ("a",), 1, (32, 32), net="resnet18", options={"norm": "group"})
    with pytest.raises(SettingError, match="a screen wants norm = batch"):
        build_way(sought, chance())
