import re

import pytest
import torch
import torchvision

from medclf.errors import SettingError
from medclf.net.family.vgg import STAGES, TORCHVISION, VGG, build
from medclf.net.head import Classifier
from medclf.net.style import Style
from medclf.net.table import BODIES, build_body

PLAIN = Style(norm="plain")

# Table 2 of the paper, in millions.
MILLIONS = {11: 133, 13: 133, 16: 138, 19: 144}


def theirs(name, **options):
    return getattr(torchvision.models, name)(weights=None, **options)


def ours(name, outputs, pool="dense"):
    depth = int(re.search(r"\d+", name)[0])
    return Classifier(VGG(2, 3, depth, style=BODIES[name].style), outputs, pool=pool)


def renamed(name, state):
    """Give a state of torchvision our names."""
    named = {}
    for key, value in state.items():
        for pattern, by in TORCHVISION[name]:
            key = re.sub(pattern, by, key)
        named[key] = value
    return named


@pytest.mark.parametrize("name", TORCHVISION)
def test_all_members_have_the_weights_and_names_of_torchvision(name):
    with torch.device("meta"):
        network, reference = ours(name, 1000), theirs(name)
    state = renamed(name, reference.state_dict())
    shapes = {key: value.shape for key, value in network.state_dict().items()}
    assert shapes == {key: value.shape for key, value in state.items()}


@pytest.mark.parametrize("depth", STAGES)
def test_the_paper_counts_as_many_weights(depth):
    with torch.device("meta"):
        network = ours(f"vgg{depth}", 1000)
    assert round(sum(p.numel() for p in network.parameters()) / 1e6) == MILLIONS[depth]


@pytest.mark.parametrize("name", ["vgg13", "vgg16_bn"])
def test_maps_are_those_of_torchvision(name, unsettle):
    torch.manual_seed(0)
    with torch.device("meta"):
        reference, network = theirs(name, num_classes=3), ours(name, 3, pool="mean")
    features = reference.features.to_empty(device="cpu").eval()
    for part in features:
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    unsettle(features)
    body = network.body.eval()
    state = {f"features.{key}": value for key, value in features.state_dict().items()}
    state = {key.removeprefix("body."): v for key, v in renamed(name, state).items()}
    body.load_state_dict(state, assign=True)
    x = torch.rand(1, 3, 70, 96)
    with torch.no_grad():
        maps, truth = body(x), features(x)
    assert maps.shape == (1, 512, 2, 3)
    assert torch.allclose(maps, truth, rtol=1e-4, atol=1e-4 * truth.std().item())


def test_logits_are_those_of_torchvision():
    torch.manual_seed(0)
    with torch.device("meta"):
        reference, network = theirs("vgg11", num_classes=10), ours("vgg11", 10)
    reference.to_empty(device="cpu").eval()
    for weight in reference.parameters():
        fill = torch.rand(min(weight.numel(), 1_000_003)) - 0.5
        values = fill.repeat(-(-weight.numel() // len(fill)))[: weight.numel()].view_as(weight)
        weight.data = values.mul_((24 / (weight[0].numel() if weight.ndim > 1 else 2400)) ** 0.5)
    network.load_state_dict(renamed("vgg11", reference.state_dict()), assign=True)
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        logits, truth = network.eval()(x), reference(x)
    assert truth.std() > 0.01
    assert torch.allclose(logits, truth, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "last"),
    [
        ((28, 28), (3, 3)),
        ((224, 97), (7, 3)),
        ((24, 24, 24), (3, 3, 3)),
        ((24, 96, 96), (3, 3, 3)),
        ((1, 7, 224), (1, 3, 7)),
    ],
)
def test_the_last_maps_keep_three_samples(size, last):
    body = build(len(size), 1, size, PLAIN, depth=11, width=2)
    with torch.no_grad():
        assert body(torch.rand(1, 1, *size)).shape == (1, 16, *last)


def test_a_norm_makes_one_form_of_the_other():
    plain = build_body("vgg11", 2, 1, (28, 28), width=2, norm="batch")
    normed = build_body("vgg11_bn", 2, 1, (28, 28), width=2)
    assert list(plain.state_dict()) == list(normed.state_dict())


def test_what_the_paper_lacks_is_refused():
    with pytest.raises(SettingError, match=r"\[11, 13, 16, 19\], not 15"):
        VGG(2, 1, 15)
