"""A screened volume has the scores of its cubes, judged one by one at the same places."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from medclf.core.grid import Grid
from medclf.errors import SettingError
from medclf.locate.peaks import find_peaks
from medclf.locate.screen import Lattice, Screen
from medclf.net.body import Body
from medclf.net.head import Classifier
from medclf.net.nd import conv_norm, layers
from medclf.net.start import initialise
from medclf.net.table import build_classifier


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def chain(dims, step=2):
    """Make an unpadded chain, thin: convolutions about one pool."""
    kind = layers(dims)
    stages = {
        "c1": nn.Sequential(conv_norm(kind, 1, 4, 5, padding=0), nn.ReLU(), kind.max_pool(step)),
        "c2": nn.Sequential(conv_norm(kind, 4, 6, 3, padding=0), nn.ReLU()),
        "c3": nn.Sequential(conv_norm(kind, 6, 6, 3, padding=0), nn.ReLU()),
    }
    network = Classifier(Body(dims, stages, 6), outputs=2)
    initialise(network, chance())
    return loud(network)


def lenet(dims, edge, form="paper"):
    return loud(build_classifier("lenet5", 3, 1, (edge,) * dims, chance(), form=form))


def dou(dims, name="dou_screen", **options):
    size = (16,) * dims
    return loud(build_classifier(name, 2, 1, size, chance(), **options))


def loud(network):
    """Let the head, which begins near 0, say something."""
    nn.init.normal_(network.linear.weight, generator=chance())
    return network.eval()


def clouds(*space):
    """Make a volume of (1, *space) that differs from cube to cube."""
    coarse = torch.randn(1, 1, *(n // 8 for n in space), generator=chance(1))
    fine = interpolate(coarse, space, mode=("bilinear", "trilinear")[len(space) - 2])
    return 3 * fine[0] + torch.randn(1, *space, generator=chance(2))


@torch.no_grad()
def one_by_one(network, volume, size, step):
    """Judge every cube of a volume by itself: (C, *space) -> (K, *cells)."""
    counts = [(n - e) // s + 1 for n, e, s in zip(volume.shape[1:], size, step, strict=True)]
    cubes = [
        volume[:, *(slice(i * s, i * s + e) for i, s, e in zip(place, step, size, strict=True))]
        for place in product(*(range(n) for n in counts))
    ]
    return network(torch.stack(cubes)).T.reshape(-1, *counts)


@pytest.mark.parametrize(
    ("network", "size", "space"),
    [
        (chain(3), (14, 16, 18), (19, 23, 22)),
        (chain(3, step=3), (20, 20, 20), (28, 23, 20)),
        (chain(2), (16, 18), (41, 36)),
        (lenet(2, 32), (32, 32), (61, 47)),
        (lenet(2, 33, "modern"), (33, 40), (50, 47)),
        (lenet(3, 32), (32, 32, 32), (37, 32, 41)),
        (dou(3), (16, 16, 16), (19, 23, 21)),
        (dou(3, norm="batch", activation="silu"), (17, 16, 20), (19, 21, 23)),
        (dou(3, "dou_judge"), (20, 20, 20), (21, 25, 23)),
        (dou(2), (16, 16), (41, 37)),
    ],
)
def test_scores_are_those_of_cubes_one_by_one(network, size, space):
    volume = clouds(*space)
    screen = Screen(network, 1, size)
    alone = one_by_one(network, volume, size, screen.step)
    found = screen(volume[None])[0].detach()
    assert found.shape == alone.shape
    assert (found - alone).abs().max() < 1e-4 * alone.std()


@pytest.mark.parametrize(
    ("network", "edge", "space", "tiles"),
    [
        (chain(3), 14, (37, 30, 15), (14, 17, 24, 128)),
        (dou(3), 16, (29, 23, 17), (17, 20, 128)),
        (dou(2), 16, (57, 43), (16, 21, 30)),
    ],
)
def test_tiles_change_nothing(network, edge, space, tiles):
    screen = Screen(network, 1, (edge,) * len(space))
    volume = clouds(*space)
    whole = screen(volume[None])[0]
    for tile in tiles:
        assert (screen.tiled(volume, tile) - whole).abs().max() < 1e-4 * whole.std()


def test_mixed_precision_is_the_callers_choice():
    screen, volume = Screen(dou(2), 1, (16, 16)), clouds(64, 64)
    whole = screen(volume[None])[0].detach()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = screen.tiled(volume)
    assert mixed.dtype == torch.float32
    assert 1e-6 < (mixed - whole).abs().max() / whole.std() < 0.05


def test_padding_makes_a_difference():
    """Zeros beyond the border of a cube, where the volume has tissue, cannot be equal."""
    network = loud(build_classifier("vgg11_bn", 2, 1, (32, 32), chance(), width=8))
    screen = Screen(network, 1, (32, 32))
    volume = clouds(64, 64)
    alone = one_by_one(network, volume, (32, 32), screen.step)
    assert (screen(volume[None])[0] - alone).abs().max() > 1e-4


def test_a_blob_is_found_where_it_is():
    """A network that sees the mean of its cube's middle, with a step of 2, from volume to mm."""
    body = Body(3, {"c": nn.Conv3d(1, 1, 5, 2, bias=False)}, 1)
    network = Classifier(body, outputs=1)
    with torch.no_grad():
        body.c.weight.zero_()[0, 0, 1:4, 1:4, 1:4] = 1
        network.linear.weight.fill_(1)
        network.linear.bias.zero_()
    screen = Screen(network, 1, (5, 5, 5))
    volume = torch.zeros(1, 24, 30, 30)
    volume[0, 10:13, 16:19, 6:9] = 1  # its middle is at 11, 17, 7
    volume[0, 11, 17, 7] = 2
    grid = Grid((2.0, 0.5, 0.5), (-100.0, 3.0, 4.0), np.eye(3))
    scores = screen.tiled(volume, 12)
    (found,) = find_peaks(scores, [screen.lattice.grid(grid)], 1.0, 20.0, 9)
    middle = np.array([11, 17, 7])
    assert np.abs(grid.from_mm(found.mm[0]) - middle).max() <= 0.5


def test_the_grid_of_cells_agrees_with_their_samples():
    lattice = Lattice((15.5, 7.0, 7.0), (4, 2, 2))
    turned = np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])
    grid = Grid((2.0, 0.5, 0.75), (-100.0, 3.0, 4.0), turned)
    cells = np.array([[0, 0, 0], [3, 5, 2.5]])
    samples = np.array([[15.5, 7, 7], [27.5, 17, 12]])
    assert lattice.grid(grid).to_mm(cells) == pytest.approx(grid.to_mm(samples))
    assert lattice.grid(Grid()) == Grid()
    assert lattice.grid(Grid((1.0, 1.0, 1.0))) == Grid((4.0, 2.0, 2.0))


def test_what_cannot_be_screened_is_refused():
    with pytest.raises(SettingError, match=r"mean pool and a linear head, found mean\+max"):
        Screen(Classifier(chain(2).body, 2, pool="mean+max"), 1, (16, 16))
    normed = build_classifier("resnet18", 2, 1, (32, 32), chance(), norm="group", width=8)
    with pytest.raises(SettingError, match="norm = batch, weights or plain"):
        Screen(normed, 1, (32, 32))
    screen = Screen(chain(3), 1, (14, 14, 14))
    with pytest.raises(SettingError, match=r"from \(14, 14, 14\) up wanted, found \(14, 13, 20\)"):
        screen.tiled(torch.zeros(1, 14, 13, 20))
    with pytest.raises(SettingError, match=r"found \(13, 13, 13\)"):
        screen.tiled(torch.zeros(1, 14, 14, 20), tile=13)
    with pytest.raises(SettingError, match=r"found \(14, 14\)"):
        screen(torch.zeros(1, 1, 14, 14))
