import pytest
import torch
from torch import nn

from medclf.errors import SettingError
from medclf.net.family.pyramidnet import DEPTHS, PyramidNet, build
from medclf.net.head import Classifier
from medclf.net.style import Style


def weights_by_hand(blocks, alpha, bottleneck, classes=10):
    """Count a network for RGB pictures: a norm has 2 weights a channel, no convolution a bias."""
    here, total = 16, 3 * 9 * 16 + 2 * 16
    for place in range(1, 3 * blocks + 1):
        maps = int(16 + alpha * place / (3 * blocks) + 1e-9)
        total += 2 * here + 2 * 2 * maps
        if bottleneck:
            total += here * maps + 9 * maps * maps + 4 * maps * maps + 2 * 4 * maps
            here = 4 * maps
        else:
            total += 9 * here * maps + 9 * maps * maps
            here = maps
    return total + 2 * here + (here + 1) * classes


# Table 4 cuts the millions after one digit. For an alpha of 270, where equation 2 has whole steps
# of 5, it prints a little less than that equation gives.
@pytest.mark.parametrize(
    ("depth", "alpha", "exact", "printed", "features"),
    [
        (110, 48, 1_739_730, 1.7, 64),
        (110, 84, 3_855_054, 3.8, 100),
        (110, 270, 28_485_477, 28.3, 286),
        (164, 270, 27_216_021, 27.0, 1144),
        (200, 240, 26_617_000, 26.6, 1024),
        (236, 220, 26_806_528, 26.8, 944),
        (272, 200, 26_049_562, 26.0, 864),
    ],
)
def test_it_has_the_weights_of_the_paper(depth, alpha, exact, printed, features):
    with torch.device("meta"):
        body = build(2, 3, (32, 32), Style(), depth, alpha)
        network = Classifier(body, 10)
    counted = sum(p.numel() for p in network.parameters())
    assert counted == exact == weights_by_hand(DEPTHS[depth], alpha, depth > 110)
    if alpha == 270:
        assert counted / 1e6 == pytest.approx(printed, rel=0.01)
    else:
        assert int(counted / 1e5) / 10 == printed
    assert body.features == features


@pytest.mark.parametrize("depth", DEPTHS)
def test_depth_counts_convolutions_and_the_head(depth):
    with torch.device("meta"):
        body = build(2, 3, (32, 32), Style(), depth, 48)
    assert sum(isinstance(m, nn.Conv2d) for m in body.modules()) + 1 == depth


@pytest.mark.parametrize(("bottleneck", "channels"), [(False, 22), (True, 88)])
@pytest.mark.parametrize("size", [(8, 8), (7, 5), (3, 7, 6)])
def test_without_corrections_a_map_is_averaged_and_gains_zeros(bottleneck, channels, size):
    body = PyramidNet(len(size), 1, 6, 1, bottleneck).eval()
    for module in body.modules():
        if hasattr(module, "correction"):
            nn.init.zeros_(module.correction[-1].weight)
    x = torch.rand(2, 1, *size)
    with torch.no_grad():
        maps = body.stages(x)
    pool = nn.functional.avg_pool2d if len(size) == 2 else nn.functional.avg_pool3d
    mean = pool(maps["conv2"], 2, ceil_mode=True)
    count = maps["conv2"].shape[1]
    assert torch.allclose(maps["conv3"][:, :count], mean)
    assert not maps["conv3"][:, count:].any()
    assert maps["last"].shape == (2, channels, *(-(-n // 4) for n in size))


@pytest.mark.parametrize(
    ("size", "out"),
    [((28, 28), (7, 7)), ((24, 24, 24), (6, 6, 6)), ((11, 33), (6, 9)), ((1, 7), (1, 4))],
)
def test_strides_are_dropped_where_the_input_is_small(size, out):
    body = build(len(size), 1, size, Style(), 110, 8, width=4, repeats=1).eval()
    with torch.no_grad():
        assert body(torch.rand(1, 1, *size)).shape == (1, 12, *out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 111}, r"depths \[110, 164, 200, 236, 272\], not 111"),
        ({"repeats": 0}, "blocks from 1 up, not 48 and 0"),
        ({"alpha": -1}, "alpha from 0 and blocks from 1 up, not -1 and 18"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(SettingError, match=message):
        build(2, 1, (28, 28), Style(), **{"depth": 110, "alpha": 48} | options)
