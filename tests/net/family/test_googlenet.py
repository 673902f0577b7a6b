from functools import partial

import pytest
import torch
import torchvision
from torch import nn

from medclf.errors import SettingError
from medclf.net.family.googlenet import TORCHVISION, GoogLeNet, build
from medclf.net.head import Classifier
from medclf.net.style import Style

theirs = partial(torchvision.models.googlenet, weights=None, aux_logits=True, init_weights=False)


def without_dropout(network):
    for part in network.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return network.train()


def test_weights_are_those_of_torchvision():
    with torch.device("meta"):
        ours, reference = Classifier(GoogLeNet(2, 3), 1000), theirs()
    counts = [sum(p.numel() for p in network.parameters()) for network in (ours, reference)]
    assert counts == [13_004_888] * 2


@pytest.mark.parametrize("size", [(97, 64), (130, 71)])
def test_outputs_are_those_of_torchvision(agree, size):
    ours, reference = agree(theirs, GoogLeNet(2, 3), TORCHVISION, size)
    x = torch.rand(3, 3, 96, 64)
    with torch.no_grad():
        found, wanted = without_dropout(ours)(x), without_dropout(reference)(x)
    assert list(ours.auxiliary) == ["inception4a", "inception4d"]
    assert ours.shares == (1.0, 0.3, 0.3)
    wanted = torch.stack([wanted.logits, wanted.aux_logits1, wanted.aux_logits2])
    assert torch.allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_the_paper_has_larger_kernels():
    """Third way of the nine modules: 5 x 5 for 3 x 3 adds 16 products to each pair of maps."""
    with torch.device("meta"):
        narrow, wide = GoogLeNet(2, 3), GoogLeNet(2, 3, large=5)
    pairs = 16 * 32 + 32 * 96 + 16 * 48 + 24 * 64 * 2 + 32 * 64 + 2 * 32 * 128 + 48 * 128
    counts = [sum(p.numel() for p in body.parameters()) for body in (narrow, wide)]
    assert counts[1] - counts[0] == 16 * pairs


@pytest.mark.parametrize(
    ("size", "last"),
    [
        ((224, 224), (7, 7)),
        ((28, 28), (4, 4)),
        ((24, 24, 24), (3, 3, 3)),
        ((24, 96, 96), (3, 3, 3)),
        ((47, 95), (6, 6)),
        ((1, 40), (1, 5)),
    ],
)
def test_small_inputs_keep_a_map(size, last):
    body = build(len(size), 1, size, Style(), width=0.1).eval()
    with torch.no_grad():
        assert body(torch.rand(1, 1, *size)).shape[2:] == last


@pytest.mark.parametrize("size", [(28, 28), (24, 24, 24), (2, 2)])
def test_auxiliary_heads_work_on_small_maps(size):
    network = Classifier(build(len(size), 1, size, Style(), width=0.1), 3)
    assert network(torch.rand(2, 1, *size)).shape == (3, 2, 3)


def test_no_width_is_refused():
    with pytest.raises(SettingError, match="above 0, not 0"):
        GoogLeNet(2, 1, width=0)
