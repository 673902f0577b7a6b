import pytest
import torch
import torchvision
from torch import nn

from medclf.errors import SettingError
from medclf.net.family.wide_resnet import TORCHVISION, WideResNet, build
from medclf.net.head import Classifier
from medclf.net.style import Style


def large(depth):
    return build(2, 3, (224, 224), Style(), depth, widen=2)


@pytest.mark.parametrize("depth", [50, 101])
def test_the_large_form_has_the_weights_of_torchvision(depth):
    with torch.device("meta"):
        ours = Classifier(large(depth), 1000)
        reference = getattr(torchvision.models, f"wide_resnet{depth}_2")(weights=None)
    shapes = [tuple(v.shape) for v in reference.state_dict().values()]
    assert [tuple(v.shape) for v in ours.state_dict().values()] == shapes


def theirs(num_classes):
    """Their network without its slow draws."""
    with torch.device("meta"):
        made = torchvision.models.wide_resnet50_2(weights=None, num_classes=num_classes)
    made.to_empty(device="cpu")
    for value in made.state_dict().values():
        value.zero_()
    for part in made.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            bound = part.weight[0].numel() ** -0.5
            nn.init.uniform_(part.weight, -bound, bound)
    return made


def test_outputs_of_the_large_form_are_those_of_torchvision(agree):
    with torch.device("meta"):
        body = large(50)
    agree(theirs, body.to_empty(device="cpu"), TORCHVISION, (64, 33))


def weights_by_hand(blocks, widen, classes=10):
    """Count a network for RGB pictures: a norm has 2 weights a channel, no convolution a bias."""
    here, total = 16, 3 * 9 * 16
    for there in (16 * widen, 32 * widen, 64 * widen):
        for _ in range(blocks):
            total += 2 * here + 9 * here * there + 2 * there + 9 * there * there
            total += here * there if here != there else 0
            here = there
    return total + 2 * here + (here + 1) * classes


# Table 5: millions of weights.
@pytest.mark.parametrize(
    ("depth", "widen", "exact", "printed"),
    [(28, 10, 36_479_194, 36.5), (16, 8, 10_961_370, 11.0), (40, 4, 8_949_210, 8.9)],
)
def test_the_small_form_has_the_weights_of_the_paper(depth, widen, exact, printed):
    with torch.device("meta"):
        network = Classifier(WideResNet(2, 3, depth, widen), 10)
    counted = sum(p.numel() for p in network.parameters())
    assert counted == exact == weights_by_hand((depth - 4) // 6, widen)
    assert round(counted / 1e6, 1) == printed


@pytest.mark.parametrize("depth", [16, 28])
def test_depth_counts_convolutions(depth):
    body = WideResNet(2, 3, depth, 1, width=4)
    body_with_shortcuts = sum(isinstance(m, nn.Conv2d) for m in body.modules())
    assert body_with_shortcuts == depth - (body.conv2[0].shortcut is None)


def test_a_block_without_correction_passes_its_input_on():
    body = WideResNet(2, 1, 16, 1, width=4).eval()
    x = torch.rand(1, 4, 5, 5) - 0.5
    block = body.conv2[1]
    nn.init.zeros_(block.correction[-1].weight)
    with torch.no_grad():
        assert torch.equal(block(x), x)


@pytest.mark.parametrize(
    ("size", "out"),
    [((28, 28), (7, 7)), ((24, 24, 24), (6, 6, 6)), ((11, 33), (6, 9)), ((1, 7), (1, 4))],
)
def test_space_shrinks_by_the_stated_law(size, out):
    body = build(len(size), 1, size, Style(), 16, 1, width=4).eval()
    with torch.no_grad():
        assert body(torch.rand(1, 1, *size)).shape == (1, 16, *out)


def test_samples_within_a_block_are_dropped_in_training_alone():
    body = build(2, 1, (28, 28), Style(), 16, 1, width=4, inner_dropout=0.5)
    x = torch.rand(2, 1, 28, 28)
    assert not torch.equal(body(x), body(x))
    body.eval()
    assert torch.equal(body(x), body(x))


@pytest.mark.parametrize("depth", [18, 29, 4])
def test_depths_without_sense_are_refused(depth):
    with pytest.raises(SettingError, match=rf"a depth of 6 n \+ 4, not {depth}"):
        WideResNet(2, 1, depth, 1)
