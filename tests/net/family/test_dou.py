import pytest
import torch
from torch import nn

from medclf.errors import SettingError
from medclf.net.cost import measure_cost
from medclf.net.family.dou import Dou, cube
from medclf.net.head import Classifier

# Weights and biases by hand, with every kernel as long along the slices as in the plane.
SCREEN = {
    "c1": 64 * 1 * 5**3 + 64,
    "m1": 0,
    "c2": 64 * 64 * 3**3 + 64,
    "c3": 64 * 64 * 3**3 + 64,
    "fc1": 150 * 64 * 2**3 + 150,
}
JUDGE = {
    "c1": 32 * 1 * 7**3 + 32,
    "m1": 0,
    "c2": 64 * 32 * 5**3 + 64,
    "fc1": 500 * 64 * 3**3 + 500,
    "fc2": 100 * 500 + 100,
}


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("form", "stages", "last", "total"),
    [("screen", SCREEN, 150 * 2 + 2, 306_628), ("judge", JUDGE, 100 * 2 + 2, 1_181_874)],
)
def test_the_weights_of_the_paper(form, stages, last, total):
    with torch.device("meta"):
        network = Classifier(Dou(3, 1, form), 2)
    assert {name: count(stage) for name, stage in network.body.named_children()} == stages
    assert count(network) == sum(stages.values()) + last == total


@pytest.mark.parametrize(
    ("form", "edges"), [("screen", [12, 6, 4, 2, 1]), ("judge", [14, 7, 3, 1, 1])]
)
@pytest.mark.parametrize("dims", [2, 3])
def test_a_cube_gives_one_cell_that_sees_all_of_it(form, edges, dims):
    edge = cube(form)
    with torch.device("meta"):
        body = Dou(dims, 1, form)
        maps = body.stages(torch.zeros(1, 1, *(edge,) * dims))
    cost = measure_cost(body, 1, (edge,) * dims)
    assert (cost.field, cost.step) == ((edge,) * dims, (2,) * dims)
    assert [tuple(one.shape[2:]) for one in maps.values()] == [(n,) * dims for n in edges]


def test_the_activation_may_follow_the_pool():
    body, x = Dou(2, 1), torch.rand(1, 1, 20, 20)
    pooled = nn.functional.max_pool2d(body.c1(x).relu(), 2)
    assert torch.equal(body.stages(x)["m1"], pooled)


def test_short_axes_are_laid_in_zeros():
    body, image = Dou(2, 1, "judge").eval(), torch.rand(1, 1, 13, 24)
    framed = torch.zeros(1, 1, 20, 24)
    framed[..., 3:16, :] = image
    assert torch.equal(body(image), body(framed))


def test_dense_layers_drop_in_training_only():
    body, x = Dou(2, 1, "judge", inner_dropout=0.5), torch.rand(4, 1, 20, 20)
    with torch.no_grad():
        body.fc1[0].bias.fill_(100)
        dropped, kept = body.stages(x)["fc1"], body.eval().stages(x)["fc1"]
    assert (dropped == 0).float().mean() == pytest.approx(0.5, abs=0.1)
    assert (kept > 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"form": "look"}, "screen and judge, not 'look'"),
        ({"inner_dropout": 1}, "share from 0 to below 1, not 1"),
    ],
)
def test_other_settings_are_refused(options, message):
    with pytest.raises(SettingError, match=message):
        Dou(3, 1, **options)
