import pytest
import torch
from torch import nn

from medclf.net.family.bn_inception import BNInception, build
from medclf.net.head import Classifier
from medclf.net.style import Style

# Figure 5 of the paper, row by row: what comes in, and every convolution of the module.
MODULES = """
192 1x1:64 1x1:64 3x3:64 1x1:64 3x3:96 3x3:96 pool:32
256 1x1:64 1x1:64 3x3:96 1x1:64 3x3:96 3x3:96 pool:64
320 1x1:128 3x3:160 1x1:64 3x3:96 3x3:96
576 1x1:224 1x1:64 3x3:96 1x1:96 3x3:128 3x3:128 pool:128
576 1x1:192 1x1:96 3x3:128 1x1:96 3x3:128 3x3:128 pool:128
576 1x1:160 1x1:128 3x3:160 1x1:128 3x3:160 3x3:160 pool:128
608 1x1:96 1x1:128 3x3:192 1x1:160 3x3:192 3x3:192 pool:128
608 1x1:128 3x3:192 1x1:192 3x3:256 3x3:256
1056 1x1:352 1x1:192 3x3:320 1x1:160 3x3:224 3x3:224 pool:128
1024 1x1:352 1x1:192 3x3:320 1x1:192 3x3:224 3x3:224 pool:128
"""
STEM = 8 * 3 * 7 * 7 + 24 * 64 + 64 * 64 + 64 * 192 * 9
STEM_MAPS = 64 + 64 + 192


def modules_by_hand():
    """Products and maps of all modules: 1 x 1 and pool see what comes in, 3 x 3 the last."""
    weights, maps = 0, 0
    for row in MODULES.strip().splitlines():
        here, *convs = row.split()
        before = int(here)
        for conv in convs:
            kind, there = conv.split(":")
            seen = before * 9 if kind == "3x3" else int(here)
            before = int(there)
            weights, maps = weights + seen * before, maps + before
    return weights, maps


def test_weights_are_those_of_the_table():
    weights, maps = modules_by_hand()
    by_hand = weights + STEM + 2 * (maps + STEM_MAPS) + 1024 * 1000 + 1000
    with torch.device("meta"):
        network = Classifier(BNInception(2, 3), 1000)
    assert sum(p.numel() for p in network.parameters()) == by_hand == 11_278_528


def test_weights_are_those_of_the_published_port():
    """It has 11,295,240: a plain first convolution, and biases before the norms."""
    with torch.device("meta"):
        network = Classifier(BNInception(2, 3), 1000)
    biases = sum(m.num_features for m in network.modules() if isinstance(m, nn.BatchNorm2d))
    plain = 3 * 64 * 7 * 7 - (8 * 3 * 7 * 7 + 24 * 64)
    assert sum(p.numel() for p in network.parameters()) + plain + biases == 11_295_240


def test_maps_are_those_of_the_table():
    with torch.device("meta"):
        maps = BNInception(2, 3).eval().stages(torch.empty(1, 3, 224, 224))
    shapes = {name: tuple(x.shape[1:3]) for name, x in maps.items()}
    assert shapes == {
        "conv1": (64, 112),
        "pool1": (64, 56),
        "conv2": (192, 56),
        "pool2": (192, 28),
        "inception3a": (256, 28),
        "inception3b": (320, 28),
        "inception3c": (576, 14),
        "inception4a": (576, 14),
        "inception4b": (576, 14),
        "inception4c": (608, 14),
        "inception4d": (608, 14),
        "inception4e": (1056, 7),
        "inception5a": (1024, 7),
        "inception5b": (1024, 7),
    }


@pytest.mark.parametrize(
    ("size", "last"),
    [
        ((28, 28), (4, 4)),
        ((24, 24, 24), (3, 3, 3)),
        ((24, 96, 96), (3, 3, 3)),
        ((97, 65), (4, 5)),
        ((1, 40), (1, 5)),
    ],
)
def test_small_inputs_keep_a_map(size, last):
    body = build(len(size), 2, size, Style(), width=0.1).eval()
    with torch.no_grad():
        assert body(torch.rand(1, 2, *size)).shape[2:] == last


def test_the_last_pool_takes_the_maximum_and_the_others_the_mean():
    with torch.device("meta"):
        body = BNInception(2, 3)
    pools = {name: body.get_submodule(name)[-1][0] for name in body.names if name[-1] in "abd"}
    assert isinstance(pools.pop("inception5b"), nn.MaxPool2d)
    assert all(isinstance(pool, nn.AvgPool2d) for pool in pools.values())
