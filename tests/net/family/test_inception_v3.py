from functools import partial

import pytest
import torch
import torchvision

from medclf.net.family.inception_v3 import TORCHVISION, InceptionV3, build
from medclf.net.head import Classifier
from medclf.net.style import Style

theirs = partial(torchvision.models.inception_v3, weights=None, init_weights=False)


def test_weights_are_those_of_torchvision():
    with torch.device("meta"):
        ours, reference = Classifier(InceptionV3(2, 3), 1000), theirs()
    counts = [sum(p.numel() for p in network.parameters()) for network in (ours, reference)]
    assert counts == [27_161_264] * 2


def test_outputs_are_those_of_torchvision(agree):
    ours, reference = agree(theirs, InceptionV3(2, 3), TORCHVISION, (107, 75))
    assert ours.shares == (1.0, 0.4)
    x, seen = torch.rand(1, 3, 107, 75), []
    hook = reference.Mixed_6e.register_forward_hook(lambda *call: seen.append(call[-1]))
    with torch.no_grad():
        reference(x)
        assert torch.allclose(ours.body.stages(x)["mixed6e"], seen[0], rtol=1e-4, atol=1e-4)
        hook.remove()
        for side in (17, 20):
            x = torch.rand(2, 768, side, side)
            found, wanted = ours.auxiliary["mixed6e"](x), reference.AuxLogits(x)
            assert torch.allclose(found, wanted, rtol=1e-4, atol=1e-5)
            assert (wanted[0] - wanted[1]).abs().max() > 0.001


def test_the_size_of_the_paper_keeps_its_maps():
    with torch.device("meta"):
        body = build(2, 3, (299, 299), Style()).eval()
        maps = body.stages(torch.empty(1, 3, 299, 299))
    edges = [149, 147, 147, 73, 73, 71, 35, *[35] * 3, *[17] * 5, *[8] * 3]
    assert [x.shape[2] for x in maps.values()] == edges


@pytest.mark.parametrize(
    ("size", "last"),
    [
        ((139, 139), (3, 3)),
        ((138, 299), (5, 10)),
        ((96, 96), (3, 3)),
        ((28, 28), (4, 4)),
        ((24, 24, 24), (3, 3, 3)),
        ((24, 96, 96), (3, 3, 3)),
        ((1, 40), (1, 5)),
    ],
)
def test_small_inputs_keep_a_map(size, last):
    body = build(len(size), 1, size, Style(), width=0.1).eval()
    with torch.no_grad():
        assert body(torch.rand(1, 1, *size)).shape[2:] == last


@pytest.mark.parametrize("size", [(28, 28), (24, 24, 24), (140, 300), (2, 2)])
def test_the_auxiliary_head_works_on_small_maps(size):
    network = Classifier(build(len(size), 1, size, Style(), width=0.1), 3)
    assert network(torch.rand(2, 1, *size)).shape == (2, 2, 3)


def test_bars_cross_in_a_volume():
    body = InceptionV3(3, 1, width=0.1)
    once = body.mixed6b[1]
    assert [conv[0].kernel_size for conv in once] == [(1, 1, 1), (1, 1, 7), (7, 7, 1)]
