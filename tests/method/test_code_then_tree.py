"""A code is learnt without labels; trees are fitted to it, and a killed run goes on alike."""

import pytest
import torch

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.learn.committee import build_method
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Fit, Method, Net
from medclf.learn.transfer import Transfer
from medclf.look.augment import Augment
from medclf.look.views import Views
from medclf.prepare.exam import Prepare

CPU = torch.device("cpu")


CODE = Transfer("code", "tree")


def build(dims=2, transfer=CODE, **options):
    recipe = Recipe(
        Prepare(size=(16,) * dims, channels=1),
        Augment(rotate_degrees=0, scale=0, shift=0, brightness=0, contrast=0),
        Net("sprint", {"width": 16}),
        Fit(precision="float32"),
        transfer=transfer,
        method=Method("code_then_tree", options),
    )
    return build_method(recipe, Task(("a", "b")), 0, CPU)


@pytest.mark.parametrize("dims", [2, 3])
def test_images_are_rebuilt_and_labels_do_not_count(dims):
    generator = torch.Generator().manual_seed(0)
    values = torch.zeros(8, 1, 1, *[16] * dims)
    for number in range(8):
        values[number, ..., 2 * number : 2 * number + 2] = 2.0
    views = Views(values - values.mean())
    method = build(dims, code=8).train()
    optimizer = torch.optim.AdamW(method.parameters(), 1e-2)
    target = torch.eye(2)[torch.arange(8) % 2]
    losses = []
    for _ in range(15):
        errors = method(method.look(views, generator))
        assert errors.shape == (8, 1, 1)
        assert method.loss(errors, target) == method.loss(errors, 1 - target)
        losses.append(method.loss(errors, target))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.7 * losses[0]
    assert method.embed(views).shape == (8, 8)


def test_a_view_that_is_not_there_has_no_error():
    values = torch.zeros(2, 2, 1, 16, 16)
    values[0, 1] = torch.nan
    errors = build().train()(Views(values, torch.tensor([[True, False], [True, True]])))
    assert errors.isnan().squeeze(2).tolist() == [[False, True], [False, False]]
    assert build().loss(errors, torch.eye(2)).isfinite()


def test_what_does_not_go_together_is_refused():
    with pytest.raises(SettingError, match='"code" and the method code_then_tree go together'):
        build(transfer=Transfer())
    with pytest.raises(SettingError, match="code is 1 number or more, not 0"):
        build(code=0)
