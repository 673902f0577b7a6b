import pytest
import torch
import torchvision
from torch import nn

from medclf.errors import SettingError
from medclf.net.family.resnet import STAGES, STRIDES, ResNet, build
from medclf.net.head import Classifier
from medclf.net.style import Style

SMALL = (1, 1, 1, 2, 2, 2)


def theirs(depth, **options):
    return getattr(torchvision.models, f"resnet{depth}")(weights=None, **options)


def copy_by_order(source, target):
    ours, values = target.state_dict(), source.state_dict()
    assert [v.shape for v in ours.values()] == [v.shape for v in values.values()]
    target.load_state_dict(dict(zip(ours, values.values(), strict=True)))


@pytest.mark.parametrize("depth", STAGES)
def test_all_depths_have_the_weights_of_torchvision(depth):
    with torch.device("meta"):
        ours, reference = Classifier(ResNet(2, 3, depth), 1000), theirs(depth)
    shapes = [tuple(v.shape) for v in reference.state_dict().values()]
    assert [tuple(v.shape) for v in ours.state_dict().values()] == shapes


@pytest.mark.parametrize("depth", [18, 50])
def test_outputs_are_those_of_torchvision(depth, unsettle):
    torch.manual_seed(0)
    reference = theirs(depth, num_classes=7).eval()
    unsettle(reference)
    ours = Classifier(ResNet(2, 3, depth), 7).eval()
    copy_by_order(reference, ours)
    x = torch.rand(2, 3, 97, 64)
    with torch.no_grad():
        assert torch.allclose(ours(x), reference(x), rtol=1e-4, atol=1e-4)


def test_the_small_stem_is_the_published_one(unsettle):
    torch.manual_seed(0)
    reference = theirs(18, num_classes=10).eval()
    reference.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    reference.maxpool = nn.Identity()
    unsettle(reference)
    ours = Classifier(ResNet(2, 3, 18, strides=SMALL), 10).eval()
    copy_by_order(reference, ours)
    assert sum(p.numel() for p in ours.parameters()) == 11_173_962
    x = torch.rand(2, 3, 28, 28)
    with torch.no_grad():
        assert ours.body(x).shape == (2, 512, 4, 4)
        assert torch.allclose(ours(x), reference(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("size", "edges"),
    [((28, 28), (3, 3)), ((96, 20), (7, 3)), ((64, 64), (3, 3)), ((20, 224, 224), (3, 7, 7))],
)
def test_the_stem_is_large_along_the_axes_that_it_halves(size, edges):
    body = build(len(size), 1, size, Style(), depth=18, width=8)
    assert body.stem[0].kernel_size == edges


@pytest.mark.parametrize(("strides", "side"), [(STRIDES, 32), (SMALL, 8)])
@pytest.mark.parametrize("space", [(33, 64), (1, 7), (9, 33, 20)])
def test_space_shrinks_by_the_stated_law(strides, side, space):
    body = ResNet(len(space), 2, 18, 8, strides).eval()
    with torch.no_grad():
        shape = body(torch.rand(1, 2, *space)).shape
    assert shape == (1, 64, *(-(-n // side) for n in space))


def test_what_the_paper_lacks_is_refused():
    with pytest.raises(SettingError, match=r"\[18, 34, 50, 101, 152\], not 20"):
        ResNet(2, 1, 20)
