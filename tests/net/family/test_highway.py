import pytest
import torch
from torch import nn

from medclf.errors import SettingError
from medclf.net.family.highway import Gated, Highway, build
from medclf.net.head import Classifier
from medclf.net.nd import layers
from medclf.net.start import initialise
from medclf.net.style import Style

PLAIN = Style(norm="plain")


def conv(here, there, edge):
    return (edge * edge * here + 1) * there


def test_19_layers_have_the_weights_of_the_paper():
    """Highway B of table 2, about 2.3 million, stage by stage as in the authors' code."""
    by_hand = {
        "stage1": conv(3, 32, 3) + 4 * 2 * conv(32, 32, 3),
        "stage2": conv(32, 80, 3) + 5 * 2 * conv(80, 80, 3),
        "stage3": conv(80, 128, 3) + 5 * 2 * conv(128, 128, 3),
        "last": conv(128, 100, 1),
    }
    assert by_hand["stage1"] == 896 + 4 * 18_496  # the log of the authors' run
    with torch.device("meta"):
        body = Highway(2, 3, 19)
        counted = sum(p.numel() for p in Classifier(body, 10).parameters())
    for name, weights in by_hand.items():
        assert sum(p.numel() for p in body.get_submodule(name).parameters()) == weights
    assert counted == sum(by_hand.values()) + 101 * 10 == 2_256_838


def test_32_layers_have_the_weights_of_the_paper():
    """Highway C of table 2, about 1.25 million: 1 x 1 and 3 x 3 in turn."""
    total, here = 0, 3
    for maps in (32, 64, 96):
        total += conv(here, maps, 3) + 5 * 2 * conv(maps, maps, 1) + 4 * 2 * conv(maps, maps, 3)
        here = maps
    total += conv(96, 100, 1) + 101 * 10
    with torch.device("meta"):
        network = Classifier(Highway(2, 3, 32), 10)
    assert sum(p.numel() for p in network.parameters()) == total == 1_264_502
    assert total / 1e6 == pytest.approx(1.25, rel=0.02)


@pytest.mark.parametrize("depth", [19, 32])
def test_depth_counts_convolutions_and_the_head(depth):
    with torch.device("meta"):
        body = Highway(2, 3, depth)
    gates = sum(isinstance(m, Gated) for m in body.modules())
    assert sum(isinstance(m, nn.Conv2d) for m in body.modules()) - gates + 1 == depth


def fresh(bias):
    kind = layers(2, PLAIN)
    layer = Gated(kind, 4, 3, bias, kind.drop_path(1, 1))
    initialise(layer, torch.Generator().manual_seed(0))
    return layer


def test_a_gate_chooses_between_the_map_and_its_convolution():
    x = torch.rand(2, 4, 5, 5)
    with torch.no_grad():
        assert torch.allclose(fresh(-50.0)(x), x)
        opened = fresh(50.0)
        assert torch.allclose(opened(x), opened.new(x), atol=1e-6)
        even = fresh(0.0)
        nn.init.zeros_(even.gate.weight)
        assert torch.allclose(even(x), (x + even.new(x)) / 2)


@pytest.mark.parametrize(("depth", "given", "bias"), [(19, None, -2), (32, None, -3), (19, -1, -1)])
def test_gates_start_closed(depth, given, bias):
    body = build(2, 1, (28, 28), PLAIN, depth, 4, given)
    initialise(body, torch.Generator().manual_seed(0))
    gates = [m.gate.bias for m in body.modules() if isinstance(m, Gated)]
    assert len(gates) == {19: 14, 32: 27}[depth]
    assert all((gate == bias).all() for gate in gates)


@pytest.mark.parametrize(
    ("size", "out"),
    [((28, 28), (7, 7)), ((24, 24, 24), (6, 6, 6)), ((11, 33), (5, 8)), ((1, 7), (1, 3))],
)
def test_pools_are_dropped_where_the_input_is_small(size, out):
    body = build(len(size), 1, size, PLAIN, 19, width=4).eval()
    with torch.no_grad():
        assert body(torch.rand(1, 1, *size)).shape == (1, 12, *out)


def test_samples_are_dropped_after_pools_in_training_alone():
    body = build(2, 1, (28, 28), PLAIN, 19, 4, inner_dropout=0.5)
    x = torch.rand(2, 1, 28, 28)
    assert not torch.equal(body(x), body(x))
    body.eval()
    assert torch.equal(body(x), body(x))


def test_what_the_paper_lacks_is_refused():
    with pytest.raises(SettingError, match=r"\[19, 32\], not 20"):
        Highway(2, 1, 20)
