import pytest
import torch
from torch import nn
from torch.nn.functional import max_pool2d

from medclf.net.cost import measure_cost
from medclf.net.family.alexnet import ResponseNorm
from medclf.net.family.zfnet import ZFNet, build
from medclf.net.head import Classifier
from medclf.net.style import Style

PLAIN = Style(norm="plain")

# Weights and biases by hand: maps * inputs of a map + biases.
CONVS = {
    "conv1": 96 * 3 * 7 * 7 + 96,
    "conv2": 256 * 96 * 5 * 5 + 256,
    "conv3": 384 * 256 * 3 * 3 + 384,
    "conv4": 384 * 384 * 3 * 3 + 384,
    "conv5": 256 * 384 * 3 * 3 + 256,
}
DENSE = (256 * 6 * 6 * 4096 + 4096) + (4096 * 4096 + 4096) + (4096 * 1000 + 1000)


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_the_weights_of_the_paper():
    with torch.device("meta"):
        network = Classifier(ZFNet(2, 3), 1000, pool="dense")
    convs = {name: count(layer) for name, layer in network.body.named_children()}
    assert convs == CONVS | {"pool1": 0, "pool2": 0, "pool5": 0}
    assert count(network) == sum(CONVS.values()) + DENSE == 62_357_608


def test_the_maps_of_figure_three():
    with torch.device("meta"):
        maps = ZFNet(2, 3).stages(torch.empty(1, 3, 224, 224))
    assert {name: tuple(one.shape[1:]) for name, one in maps.items()} == {
        "conv1": (96, 110, 110),
        "pool1": (96, 55, 55),
        "conv2": (256, 26, 26),
        "pool2": (256, 13, 13),
        "conv3": (384, 13, 13),
        "conv4": (384, 13, 13),
        "conv5": (256, 13, 13),
        "pool5": (256, 6, 6),
    }


def test_contrast_is_normalised_after_the_pool():
    body, x = ZFNet(2, 1, width=0.1), torch.rand(1, 1, 64, 64) * 100
    maps = body.stages(x)
    pooled = max_pool2d(maps["conv1"], 3, 2, ceil_mode=True)
    truth = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)(pooled)
    assert torch.allclose(maps["pool1"], truth, rtol=1e-5)
    normed = ZFNet(2, 1, width=0.1, style=Style())
    assert not any(isinstance(part, ResponseNorm) for part in normed.modules())


@pytest.mark.parametrize("volume", ["full", "acs"])
@pytest.mark.parametrize(
    ("size", "last"),
    [
        ((24, 24, 24), (6, 6, 6)),
        ((32, 64, 128), (3, 3, 3)),
        ((5, 96, 224), (5, 5, 6)),
        ((1, 28, 28), (1, 7, 7)),
        ((128, 130, 160), (3, 3, 4)),
    ],
)
def test_three_samples_are_left_and_thin_axes_stay(size, last, volume):
    style = Style(norm="plain", volume=volume)
    shape = measure_cost(build(3, 1, size, style, width=0.1), 1, size).shape[1:]
    # With a large kernel in all planes a strided convolution rounds up.
    within = 0 if volume == "full" else 1
    assert all(0 <= n - want <= within for n, want in zip(shape, last, strict=True))


def test_every_axis_keeps_three_samples_if_it_has_them():
    for edge in (1, 2, 3, 4, 8, 12, 16, 32, 64, 96, 128, 256):  # where strides are kept anew
        with torch.device("meta"):
            body = build(2, 1, (edge, 224), PLAIN, width=0.1)
            assert body(torch.empty(1, 1, edge, 224)).shape[2] >= min(edge, 3), edge
