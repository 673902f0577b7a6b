from functools import partial

import pytest
import timm
import torch
from torch import nn

from medclf.net.cost import measure_cost
from medclf.net.family.xception import TIMM, Block, Xception, build
from medclf.net.head import Classifier
from medclf.net.style import Style


def test_outputs_are_those_of_timm(agree):
    make = partial(timm.create_model, "legacy_xception")
    agree(make, Xception(2, 3), TIMM, (97, 71))


def test_weights_are_those_of_table_3():
    with torch.device("meta"):
        network = Classifier(Xception(2, 3), 1000)
    cost = measure_cost(network, 3, (299, 299))
    assert cost.weights == 22_855_952
    assert cost.multiply_adds / 1e9 == pytest.approx(8.4, abs=0.1)
    shape = measure_cost(network.body, 3, (299, 299)).shape
    assert shape == (2048, 10, 10)  # figure 5


def test_it_has_the_36_convolutions_of_the_paper():
    """A separable one counts once, and those of the shortcuts do not count."""
    with torch.device("meta"):
        body = Xception(2, 3)
    blocks = [module for module in body.modules() if isinstance(module, Block)]
    shortcuts = sum(isinstance(block.shortcut, nn.Sequential) for block in blocks)
    convolutions = [module for module in body.modules() if isinstance(module, nn.Conv2d)]
    halves = sum(module.groups > 1 for module in convolutions)
    assert (len(blocks), shortcuts) == (12, 4)
    assert len(convolutions) - halves - shortcuts == 36


@pytest.mark.parametrize(
    ("size", "out"),
    [((28, 28), (4, 4)), ((24, 24, 24), (3, 3, 3)), ((24, 96, 96), (3, 3, 3)), ((1, 7), (1, 4))],
)
def test_small_inputs_keep_a_map(size, out):
    for volume in ["full", "acs"][: len(size) - 1]:
        body = build(len(size), 1, size, Style(volume=volume), width=0.03).eval()
        with torch.no_grad():
            assert body(torch.rand(1, 1, *size)).shape == (1, 64, *out)


def test_a_dropped_first_stride_keeps_the_edges():
    body = build(3, 1, (24, 96, 96), Style(), width=0.03).eval()
    with torch.no_grad():
        assert body.stem(torch.rand(1, 1, 24, 96, 96)).shape[2:] == (24, 45, 45)
