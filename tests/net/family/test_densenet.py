import pytest
import torch
import torchvision

from medclf.errors import SettingError
from medclf.net.family.densenet import BLOCKS, NEAR, TORCHVISION, DenseNet, build
from medclf.net.head import Classifier
from medclf.net.style import Style

GROWTH = {121: 32, 161: 48, 169: 32, 201: 32}


@pytest.mark.parametrize("depth", BLOCKS)
def test_all_depths_have_the_weights_of_torchvision(depth):
    with torch.device("meta"):
        body = DenseNet(2, 3, BLOCKS[depth], GROWTH[depth])
        reference = getattr(torchvision.models, f"densenet{depth}")(weights=None)
    shapes = [tuple(v.shape) for v in reference.state_dict().values()]
    assert [tuple(v.shape) for v in Classifier(body, 1000).state_dict().values()] == shapes


def test_outputs_are_those_of_torchvision(agree):
    agree(torchvision.models.densenet121, DenseNet(2, 3), TORCHVISION, (97, 64))


def test_the_names_in_files_of_torchvision_fit_too(agree):
    """Their files call `norm1` of a layer `norm.1`, and so on."""
    in_files = ((r"(denselayer\d+\.(?:norm|conv))(\d)\.", r"\1.\2."), *TORCHVISION)
    agree(torchvision.models.densenet121, DenseNet(2, 3), in_files, (32, 32))


def weights_by_hand(layers, growth, classes=10):
    """Count a DenseNet-BC for RGB pictures: three blocks, halved between."""
    here = 2 * growth
    total = 3 * 9 * here
    for block in range(3):
        for _ in range(layers):
            total += 2 * here + here * 4 * growth  # norm, 1 x 1
            total += 2 * 4 * growth + 9 * 4 * growth * growth  # norm, 3 x 3
            here += growth
        if block < 2:
            total += 2 * here + here * (here // 2)
            here //= 2
    return total + 2 * here + (here + 1) * classes


# Table 2: DenseNet-BC, millions of weights.
@pytest.mark.parametrize(
    ("depth", "growth", "exact", "printed"),
    [(100, 12, 769_162, 0.8), (250, 24, 15_324_406, 15.3), (190, 40, 25_624_430, 25.6)],
)
def test_the_small_form_has_the_weights_of_the_paper(depth, growth, exact, printed):
    with torch.device("meta"):
        network = Classifier(build(2, 3, (32, 32), Style(), depth, growth), 10)
    counted = sum(p.numel() for p in network.parameters())
    assert counted == exact == weights_by_hand((depth - 4) // 6, growth)
    assert round(counted / 1e6, 1) == printed


@pytest.mark.parametrize(
    ("size", "edges"),
    [((28, 28), (3, 3)), ((96, 28), (7, 3)), ((64, 64), (3, 3)), ((24, 96, 96), (3, 7, 7))],
)
def test_the_stem_is_large_along_the_axes_that_it_halves(size, edges):
    body = build(len(size), 1, size, Style(), depth=121, growth=4)
    assert body.stem[0].kernel_size == edges


@pytest.mark.parametrize(
    ("depth", "size", "out"),
    [
        (121, (28, 28), (3, 3)),
        (121, (24, 96, 96), (3, 3, 3)),
        (121, (1, 7), (1, 3)),
        (10, (28, 28), (7, 7)),
        (10, (11, 33, 24), (5, 8, 6)),
    ],
)
def test_small_inputs_keep_a_map(depth, size, out):
    body = build(len(size), 1, size, Style(), depth, growth=4).eval()
    with torch.no_grad():
        assert body(torch.rand(1, 1, *size)).shape == (1, body.features, *out)


def test_layers_see_all_maps_before_them():
    body = DenseNet(2, 1, (2, 2, 2), 4, NEAR).eval()
    x = torch.rand(1, 8, 6, 6)
    with torch.no_grad():
        out = body.block1(x)
    assert out.shape == (1, 16, 6, 6)
    assert torch.equal(out[:, :8], x)


def test_new_maps_are_dropped_in_training_alone():
    body = build(2, 1, (28, 28), Style(), 10, 4, inner_dropout=0.9)
    layer = body.block1.layer1
    x = torch.rand(4, 8, 6, 6)
    assert (layer(x)[:, 8:] == 0).float().mean() > 0.7
    assert (layer.eval()(x)[:, 8:] == 0).float().mean() < 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 120}, r"the depths \[121, 161, 169, 201\] and 6 n \+ 4, not 120"),
        ({"depth": 4}, "not 4"),
        ({"depth": 121, "repeats": 0}, r"not \(0, 0, 0, 0\) and 32"),
        ({"depth": 121, "growth": 0}, "and growth, not .* and 0"),
        ({"depth": 121, "inner_dropout": 1.0}, "from 0 to below 1, not 1.0"),
    ],
)
def test_what_the_paper_lacks_is_refused(options, message):
    with pytest.raises(SettingError, match=message):
        build(2, 1, (28, 28), Style(), **options)


def test_strides_belong_to_blocks():
    with pytest.raises(SettingError, match="3 blocks have 4 strides"):
        DenseNet(2, 1, (2, 2, 2), 4)
