import re

import pytest
import torch
import torchvision
from torch import nn

from medclf.errors import SettingError
from medclf.net.cost import measure_cost
from medclf.net.family.alexnet import TORCHVISION, AlexNet, ResponseNorm, build
from medclf.net.head import Classifier
from medclf.net.style import Style

PLAIN = Style(norm="plain")

# Weights and biases of the form of 2012, by hand: maps * inputs of a map + biases. Convolutions 2,
# 4 and 5 see half of the maps before them.
CONVS = {
    "conv1": 96 * 3 * 11 * 11 + 96,
    "conv2": 256 * 48 * 5 * 5 + 256,
    "conv3": 384 * 256 * 3 * 3 + 384,
    "conv4": 384 * 192 * 3 * 3 + 384,
    "conv5": 256 * 192 * 3 * 3 + 256,
}
DENSE = (256 * 6 * 6 * 4096 + 4096) + (4096 * 4096 + 4096) + (4096 * 1000 + 1000)


def count(module):
    return sum(p.numel() for p in module.parameters())


def renamed(state, rules):
    """Give a state of torchvision our names."""
    named = {}
    for name, value in state.items():
        ours = name
        for pattern, by in rules:
            ours = re.sub(pattern, by, ours)
        named[ours] = value
    return named


def test_the_form_of_2014_has_the_weights_and_names_of_torchvision():
    with torch.device("meta"):
        ours, theirs = Classifier(AlexNet(2, 3), 1000, pool="dense"), torchvision.models.alexnet()
    state = renamed(theirs.state_dict(), TORCHVISION)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in state.items()
    }
    assert count(ours) == 61_100_840


def test_outputs_are_those_of_torchvision():
    torch.manual_seed(0)
    with torch.device("meta"):
        ours, theirs = Classifier(AlexNet(2, 3), 10, pool="dense"), torchvision.models.AlexNet(10)
    theirs.to_empty(device="cpu").eval()
    for weight in theirs.parameters():
        fill = torch.rand(min(weight.numel(), 1_000_003)) - 0.5
        repeats = -(-weight.numel() // len(fill))
        values = fill.repeat(repeats)[: weight.numel()].view_as(weight)
        weight.data = values * (6 / (weight[0].numel() if weight.ndim > 1 else 600)) ** 0.5
    ours.load_state_dict(renamed(theirs.state_dict(), TORCHVISION), assign=True)
    x = torch.rand(2, 3, 224, 190)
    with torch.no_grad():
        maps, truth = ours.body(x), theirs.features(x)
        assert maps.shape == (2, 256, 6, 4)
        assert torch.allclose(maps, truth, rtol=1e-4, atol=1e-5)
        logits, truth = ours.eval()(x), theirs(x)
        assert logits.std() > 0.01
        assert torch.allclose(logits, truth, rtol=1e-4, atol=1e-5)


def test_the_form_of_2012_has_the_weights_of_the_paper():
    with torch.device("meta"):
        network = Classifier(AlexNet(2, 3, towers=2), 1000, pool="dense")
    convs = {name: count(layer) for name, layer in network.body.named_children()}
    assert convs == CONVS | {"pool1": 0, "pool2": 0, "pool5": 0}
    assert count(network) == sum(CONVS.values()) + DENSE == 60_965_224


def test_the_maps_of_the_paper():
    with torch.device("meta"):
        maps = AlexNet(2, 3, towers=2).stages(torch.empty(1, 3, 224, 224))
    shapes = {name: tuple(one.shape[1:3]) for name, one in maps.items()}
    assert list(shapes.items()) == [
        ("conv1", (96, 55)),
        ("pool1", (96, 27)),
        ("conv2", (256, 27)),
        ("pool2", (256, 13)),
        ("conv3", (384, 13)),
        ("conv4", (384, 13)),
        ("conv5", (256, 13)),
        ("pool5", (256, 6)),
    ]


def test_the_neurons_of_the_paper():
    """Figure 2 counts them; its 253,440 of the first layer do not fit its own 55 x 55 x 96."""
    with torch.device("meta"):
        maps = AlexNet(2, 3, towers=2).stages(torch.empty(1, 3, 224, 224))
    neurons = [maps[f"conv{n}"].numel() for n in range(1, 6)]
    assert neurons == [55 * 55 * 96, 186_624, 64_896, 64_896, 43_264]


@pytest.mark.parametrize("space", [(5, 6), (3, 4, 5)])
def test_the_response_norm_is_that_of_the_paper(space):
    x = torch.rand(2, 16, *space) * 50
    # Torch divides alpha by the five maps; the paper does not.
    truth = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)(x)
    assert torch.allclose(ResponseNorm(len(space), 16)(x), truth, rtol=1e-5)


def test_a_norm_takes_the_place_of_the_response_norm():
    def norms(style):
        parts = AlexNet(2, 1, towers=2, width=0.1, style=style).modules()
        return sum(isinstance(part, ResponseNorm) for part in parts)

    assert [norms(PLAIN), norms(Style(norm="weights")), norms(Style())] == [2, 2, 0]


@pytest.mark.parametrize("volume", ["full", "acs"])
@pytest.mark.parametrize(
    ("size", "last"),
    [
        ((24, 24, 24), (5, 5, 5)),
        ((32, 64, 127), (3, 7, 15)),
        ((5, 96, 224), (5, 11, 6)),
        ((1, 28, 28), (1, 6, 6)),
        ((128, 130, 160), (3, 3, 4)),
    ],
)
def test_three_samples_are_left_and_thin_axes_stay(size, last, volume):
    style = Style(norm="plain", volume=volume)
    cost = measure_cost(build(3, 1, size, style, towers=1, width=0.1), 1, size)
    if volume == "full":
        assert cost.shape[1:] == last
    else:  # with a large kernel in all planes the first convolution rounds up
        assert all(
            have - 1 <= want <= have for have, want in zip(cost.shape[1:], last, strict=True)
        )


def test_every_axis_keeps_three_samples_if_it_has_them():
    for edge in (1, 2, 3, 4, 8, 12, 16, 32, 64, 96, 128, 256):  # where strides are kept anew
        with torch.device("meta"):
            body = build(2, 1, (edge, 224), PLAIN, towers=1, width=0.1)
            assert body(torch.empty(1, 1, edge, 224)).shape[2] >= min(edge, 3), edge


@pytest.mark.parametrize(
    ("options", "message"),
    [({"towers": 3}, "1 or 2 towers, not 3"), ({"width": 0}, "above 0, not 0")],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(SettingError, match=message):
        AlexNet(2, 1, **options)
