import pytest
import torch
from torch import nn

from medclf.errors import SettingError
from medclf.net.cost import measure_cost
from medclf.net.family.nin import NIN, build
from medclf.net.head import Classifier
from medclf.net.style import Style

PLAIN = Style(norm="plain")

# Weights and biases of each mlpconv layer by hand; the last 1 x 1 is the linear layer.
IMAGENET = {
    "mlpconv1": (96 * 3 * 11 * 11 + 96) + 2 * (96 * 96 + 96),
    "mlpconv2": (256 * 96 * 5 * 5 + 256) + 2 * (256 * 256 + 256),
    "mlpconv3": (384 * 256 * 3 * 3 + 384) + 2 * (384 * 384 + 384),
    "mlpconv4": (1024 * 384 * 3 * 3 + 1024) + (1024 * 1024 + 1024),
}
CIFAR = {
    "mlpconv1": (192 * 3 * 5 * 5 + 192) + (160 * 192 + 160) + (96 * 160 + 96),
    "mlpconv2": (192 * 96 * 5 * 5 + 192) + 2 * (192 * 192 + 192),
    "mlpconv3": (192 * 192 * 3 * 3 + 192) + (192 * 192 + 192),
}


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("form", "outputs", "layers", "last", "total"),
    [
        ("imagenet", 1000, IMAGENET, 1024 * 1000 + 1000, 7_595_176),
        ("cifar", 10, CIFAR, 192 * 10 + 10, 966_986),
    ],
)
def test_the_weights_of_the_paper(form, outputs, layers, last, total):
    with torch.device("meta"):
        network = Classifier(NIN(2, 3, form), outputs)
    counts = {name: count(layer) for name, layer in network.body.named_children()}
    assert {name: n for name, n in counts.items() if n} == layers
    assert count(network) == sum(layers.values()) + last == total


@pytest.mark.parametrize(
    ("form", "size", "edges"),
    [("imagenet", 224, [54, 27, 27, 13, 13, 6, 6]), ("cifar", 32, [32, 16, 16, 8, 8])],
)
def test_the_maps_of_the_published_networks(form, size, edges):
    with torch.device("meta"):
        maps = NIN(2, 3, form).stages(torch.empty(1, 3, size, size))
    assert [one.shape[2] for one in maps.values()] == edges
    assert len(maps["pool1"][0]) == 96


@pytest.mark.parametrize("form", ["imagenet", "cifar"])
def test_a_linear_layer_of_the_mean_is_the_mean_of_the_last_maps(form):
    network = Classifier(NIN(2, 1, form, width=0.1), 10).eval()
    last = nn.Conv2d(network.body.features, 10, 1)
    last.weight.data = network.linear.weight.data[:, :, None, None]
    last.bias.data = network.linear.bias.data
    x = torch.rand(2, 1, 120, 100)
    with torch.no_grad():
        assert torch.allclose(network(x), last(network.body(x)).mean((2, 3)), atol=1e-6)


def test_an_mlpconv_is_a_network_of_its_own_at_every_place():
    body = NIN(2, 2, "cifar", width=0.1).eval()
    conv, one, two = (part for part in body.mlpconv1 if isinstance(part, nn.Conv2d))
    x = torch.rand(1, 2, 9, 9)
    with torch.no_grad():
        maps = body.mlpconv1(x)
        place = torch.tensordot(conv.weight, x[0, :, 2:7, 3:8], 3) + conv.bias
        for dense in (one, two):
            place = dense.weight.flatten(1) @ place.relu() + dense.bias
    assert torch.allclose(maps[0, :, 4, 5], place.relu(), atol=1e-5)


def test_samples_are_dropped_in_training_only():
    torch.manual_seed(0)
    body, x = NIN(2, 1, "cifar", width=0.1), torch.ones(8, 1, 32, 32)
    lost = (body.pool1(x) == 0).float().mean().item()
    assert abs(lost - 0.5) < 0.05
    assert torch.equal(body.eval().pool1(x), torch.ones(8, 1, 16, 16))
    assert torch.equal(NIN(2, 1, inner_dropout=0).pool2(x), torch.ones(8, 1, 16, 16))


@pytest.mark.parametrize("volume", ["full", "acs"])
@pytest.mark.parametrize(
    ("size", "last"),
    [
        ((24, 24, 24), (6, 6, 6)),
        ((32, 64, 127), (4, 8, 15)),
        ((5, 96, 224), (5, 12, 6)),
        ((1, 28, 28), (1, 7, 7)),
        ((128, 130, 160), (3, 3, 4)),
    ],
)
def test_three_samples_are_left_and_thin_axes_stay(size, last, volume):
    style = Style(norm="plain", volume=volume)
    shape = measure_cost(build(3, 1, size, style, "imagenet", 0.1), 1, size).shape[1:]
    # With a large kernel in all planes the first convolution rounds up.
    within = 0 if volume == "full" else 1
    assert all(0 <= n - want <= within for n, want in zip(shape, last, strict=True))


@pytest.mark.parametrize("form", ["imagenet", "cifar"])
def test_every_axis_keeps_three_samples_if_it_has_them(form):
    for edge in (1, 2, 3, 4, 8, 12, 16, 32, 64, 96, 128, 256):  # where strides are kept anew
        with torch.device("meta"):
            body = build(2, 1, (edge, 224), PLAIN, form, 0.1)
            assert body(torch.empty(1, 1, edge, 224)).shape[2] >= min(edge, 3), edge


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"form": "mnist"}, "imagenet and cifar, not 'mnist'"),
        ({"inner_dropout": 1.0}, "below 1, not 1.0"),
        ({"width": -1}, "above 0, not -1"),
    ],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(SettingError, match=message):
        NIN(2, 1, **options)
