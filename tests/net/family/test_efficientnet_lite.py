from functools import partial

import pytest
import timm
import torch
from torch import nn

from medclf.net.cost import measure_cost
from medclf.net.family.efficientnet_lite import LITE, TIMM, EfficientNetLite, Same, build
from medclf.net.head import Classifier
from medclf.net.style import DropPath, Style


@pytest.mark.parametrize("size", [(64, 96), (97, 71)])
def test_outputs_are_those_of_timm(agree, size):
    make = partial(timm.create_model, "tf_efficientnet_lite0")
    agree(make, EfficientNetLite(2, 3), TIMM, size)


def test_it_costs_what_is_known_of_it():
    """Weights as timm has them; products as table 2 says of B0, whose gates cost next to none."""
    with torch.device("meta"):
        network = Classifier(EfficientNetLite(2, 3), 1000)
    cost = measure_cost(network, 3, (224, 224))
    assert cost.weights == 4_652_008
    assert cost.multiply_adds / 1e9 == pytest.approx(0.39, abs=0.006)


@pytest.mark.parametrize(
    ("n", "kernel", "step", "zeros"), [(8, 3, 2, (0, 1)), (7, 3, 2, (1, 1)), (8, 5, 2, (1, 2))]
)
def test_zeros_are_laid_as_tensorflow_does(n, kernel, step, zeros):
    """By hand: ceil(n / 2) windows of the kernel, 2 apart; the odd zero comes last."""
    out = Same(kernel, (step, 1))(torch.ones(1, 1, n, 1))
    row = out[0, 0, :, kernel // 2].tolist()
    assert row == [0.0] * zeros[0] + [1.0] * n + [0.0] * zeros[1]


def test_only_blocks_with_a_shortcut_are_skipped_by_chance():
    body = EfficientNetLite(2, 1, 0.25, style=Style("relu6", drop_path=0.9))
    chances = [module.chance for module in body.modules() if isinstance(module, DropPath)]
    assert chances == pytest.approx([0.1 * place for place in range(1, 10)])


@pytest.mark.parametrize(
    ("size", "out"),
    [((28, 28), (4, 4)), ((24, 24, 24), (3, 3, 3)), ((24, 96, 96), (3, 3, 3)), ((1, 7), (1, 4))],
)
def test_small_inputs_keep_a_map(size, out):
    for volume in ["full", "acs"][: len(size) - 1]:
        body = build(len(size), 1, size, Style(volume=volume), width=0.25).eval()
        with torch.no_grad():
            assert body(torch.rand(1, 1, *size)).shape == (1, 320, *out)


def test_the_style_is_that_of_the_published_weights():
    norms = [m for m in EfficientNetLite(2, 1, 0.25).modules() if isinstance(m, nn.BatchNorm2d)]
    assert {norm.eps for norm in norms} == {LITE.epsilon} == {1e-3}
