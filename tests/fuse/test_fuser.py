"""What holds for every fuser of the table."""

import pytest
import torch

from medclf.errors import SettingError
from medclf.fuse.concatenate import SideBySide
from medclf.fuse.fuser import settle
from medclf.fuse.table import FUSERS, make_fuser

EVERY = pytest.mark.parametrize("name", [*FUSERS, "side_by_side"])
PRESENT = torch.tensor(
    [[True, True, True, True], [True, False, True, False], [False, False, False, True]]
)


@pytest.fixture
def views():
    return torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))


def made(name):
    torch.manual_seed(1)
    return SideBySide(5, views=4) if name == "side_by_side" else make_fuser(name, width=5)


@EVERY
def test_the_feature_has_the_length_that_is_stated(name, views):
    fuser = made(name)
    assert fuser(views).shape == fuser(views, PRESENT).shape == (3, fuser.features)


@EVERY
@pytest.mark.parametrize("filler", [float("nan"), float("inf"), float("-inf"), 1e30])
def test_absent_views_change_neither_answer_nor_gradient(name, filler, views):
    fuser = made(name)
    found = []
    for value in (0.0, filler):
        filled = views.masked_fill(~PRESENT[..., None], value).requires_grad_()
        joined = fuser(filled, PRESENT)
        inputs = (filled, *fuser.parameters())
        gradients = torch.autograd.grad(joined.square().sum(), inputs)
        found.append((joined, *gradients))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    assert all(part.isfinite().all() for part in found[1])
    assert not found[1][1][~PRESENT].any()


@EVERY
def test_views_all_there_need_no_mask(name, views):
    fuser = made(name)
    everything = torch.ones(3, 4, dtype=torch.bool)
    assert torch.equal(fuser(views), fuser(views, everything))


@EVERY
def test_exams_do_not_see_each_other(name, views):
    fuser = made(name)
    alone = torch.cat([fuser(views[i : i + 1], PRESENT[i : i + 1]) for i in range(3)])
    assert torch.allclose(fuser(views, PRESENT), alone, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in FUSERS if name != "recurrent"])
def test_bags_have_no_order(name, views):
    fuser, order = made(name), torch.tensor([2, 0, 3, 1])
    shuffled, there = views[:, order], PRESENT[:, order]
    assert torch.allclose(fuser(shuffled, there), fuser(views, PRESENT), atol=1e-6)


@EVERY
def test_features_keep_their_digits_under_autocast(name, views):
    fuser = made(name)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = fuser(views, PRESENT)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, fuser(views, PRESENT))


@EVERY
def test_an_exam_without_views_is_refused(name, views):
    present = PRESENT.clone()
    present[1] = False
    with pytest.raises(SettingError, match=r"1 view or more of each exam wanted, none of .* \[1\]"):
        made(name)(views, present)


@pytest.mark.parametrize(
    ("features", "present", "message"),
    [
        (torch.zeros(3, 5), None, r"features \(B, V, F\) of views wanted, not \(3, 5\)"),
        (torch.zeros(2, 0, 5), None, r"none of exams \[0, 1\]"),
        (torch.zeros(3, 4, 5), PRESENT[:, :3], r"booleans \(3, 4\) wanted, .* \(3, 3\)"),
        (torch.zeros(3, 4, 5), PRESENT.float(), "not torch.float32"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(features, present, message):
    with pytest.raises(SettingError, match=message):
        settle(features, present)


def test_no_exams_are_no_mistake():
    seen, there = settle(torch.zeros(0, 4, 5), None)
    assert seen.shape == (0, 4, 5)
    assert there.shape == (0, 4)
