from functools import partial

import pytest
import timm
import torch
from torch import nn

from medclf.errors import SettingError
from medclf.net.family.inception_resnet import TIMM, InceptionResNet, Scaled, build
from medclf.net.head import Classifier
from medclf.net.style import DropPath, Style

theirs = partial(timm.create_model, "inception_resnet_v2")


def test_weights_are_those_of_timm():
    with torch.device("meta"):
        ours, reference = Classifier(InceptionResNet(2, 3), 1000), theirs()
    counts = [sum(p.numel() for p in network.parameters()) for network in (ours, reference)]
    assert counts == [55_843_464] * 2


def test_outputs_are_those_of_timm(agree):
    agree(theirs, InceptionResNet(2, 3), TIMM, (107, 75))


def test_the_size_of_the_paper_keeps_its_maps():
    with torch.device("meta"):
        body = build(2, 3, (299, 299), Style()).eval()
        maps = body.stages(torch.empty(1, 3, 299, 299))
    edges = [149, 147, 147, 73, 73, 71, 35, 35, 35, 17, 17, 8, 8, 8]
    assert [x.shape[2] for x in maps.values()] == edges
    assert [maps[name].shape[1] for name in ("mixed5b", "mixed6a", "mixed7a")] == [320, 1088, 2080]


@pytest.mark.parametrize(
    ("size", "last"),
    [
        ((139, 139), (3, 3)),
        ((28, 28), (4, 4)),
        ((24, 24, 24), (3, 3, 3)),
        ((24, 96, 96), (3, 3, 3)),
        ((1, 40), (1, 5)),
    ],
)
def test_small_inputs_keep_a_map(size, last):
    body = build(len(size), 1, size, Style(), width=0.1, blocks=1).eval()
    with torch.no_grad():
        assert body(torch.rand(1, 1, *size)).shape[2:] == last


def test_every_block_may_be_skipped_the_last_most_often():
    body = InceptionResNet(2, 1, width=0.1, blocks=2, style=Style(drop_path=0.4))
    chances = [part.chance for part in body.modules() if isinstance(part, DropPath)]
    assert chances == pytest.approx([0.05 * place for place in range(1, 9)])


def test_blocks_are_scaled_as_the_published_ones():
    body = InceptionResNet(2, 1, width=0.1, blocks=5)
    blocks = [part for part in body.modules() if isinstance(part, Scaled)]
    assert [part.scale for part in blocks] == [0.17] * 5 + [0.1] * 10 + [0.2] * 4 + [1.0]
    assert [isinstance(part.act, nn.Identity) for part in blocks] == [False] * 19 + [True]


def test_no_block_is_refused():
    with pytest.raises(SettingError, match="1 block or more of a kind, not 0"):
        InceptionResNet(2, 1, blocks=0)
