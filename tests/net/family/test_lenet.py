import pytest
import torch
from torch.nn.functional import avg_pool2d, conv2d

from medclf.errors import SettingError
from medclf.net.family.lenet import SEEN, LeNet, PartialConv, Squash, Subsample
from medclf.net.head import Classifier
from medclf.net.start import initialise

# Section II.B of the paper: trainable numbers by layer.
PAPER = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164}


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_the_paper_form_has_the_weights_of_the_paper():
    body = LeNet(2, 1)
    assert {name: count(layer) for name, layer in body.named_children()} == PAPER
    assert count(body) == sum(PAPER.values()) == 60_000


def test_the_modern_form_has_the_weights_of_the_tutorials():
    assert count(Classifier(LeNet(2, 1, form="modern"), 10)) == 61_706


@pytest.mark.parametrize("size", [28, 64])
def test_the_dense_head_is_that_of_the_paper(size):
    head = Classifier(LeNet(2, 1), 10, pool="dense").eval()
    assert count(head) == 60_000 + 84 * 10 + 10
    image = torch.rand(2, 1, size, size)
    assert head(image).shape == (2, 10)
    assert torch.allclose(head.embed(image), head.body(image).mean((2, 3)), atol=1e-6)


def test_the_maps_of_the_paper():
    body, shapes = LeNet(2, 1), {}
    for name, layer in body.named_children():
        layer.register_forward_hook(lambda _, x, out, name=name: shapes.update({name: out.shape}))
    body(torch.zeros(1, 1, 28, 28))
    assert {name: tuple(shape[1:]) for name, shape in shapes.items()} == {
        "c1": (6, 28, 28),
        "s2": (6, 14, 14),
        "c3": (16, 10, 10),
        "s4": (16, 5, 5),
        "c5": (120, 1, 1),
        "f6": (84, 1, 1),
    }


def test_table_one_row_by_row():
    rows = ["".join(" X"[n in maps] for maps in SEEN) for n in range(6)]
    assert rows == [
        "X   XXX  XXXX XX",
        "XX   XXX  XXXX X",
        "XXX   XXX  X XXX",
        " XXX  XXXX  X XX",
        "  XXX  XXXX XX X",
        "   XXX  XXXX XXX",
    ]


def test_a_partial_convolution_is_a_full_one_with_zeros():
    conv = PartialConv(2, SEEN, 5)
    conv.draw(torch.Generator().manual_seed(1))
    full, kernels = torch.zeros(16, 6, 5, 5), iter(conv.weight.detach())
    for out, maps in enumerate(SEEN):
        for n in maps:
            full[out, n] = next(kernels)
    x = torch.rand(2, 6, 14, 14)
    assert torch.equal(conv(x), conv2d(x, full, conv.bias))


@pytest.mark.parametrize("dims", [2, 3])
def test_an_unseen_map_changes_nothing(dims):
    conv = PartialConv(dims, SEEN, 5)
    x = torch.rand(1, 6, *(6,) * dims)
    y = x.clone()
    y[:, 5] += 1
    same = (conv(x) == conv(y)).flatten(2).all(2)[0].tolist()
    assert same == [5 not in maps for maps in SEEN]


def test_subsampling_sums_blocks():
    layer = Subsample(2, 1)
    with torch.no_grad():
        layer.factor.fill_(0.5)
        layer.bias.fill_(1)
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert torch.allclose(layer(x), avg_pool2d(x, 2) * 4 * 0.5 + 1)
    assert layer(x)[0, 0, 0, 0] == (0 + 1 + 4 + 5) * 0.5 + 1


def test_the_squash_fixes_one():
    assert torch.allclose(Squash()(torch.tensor([-1.0, 0.0, 1.0])), torch.tensor([-1.0, 0, 1]))


def test_short_axes_are_padded_on_both_sides():
    body = LeNet(2, 1).eval()
    image = torch.rand(1, 1, 28, 40)
    framed = torch.zeros(1, 1, 32, 40)
    framed[..., 2:30, :] = image
    assert torch.equal(body(image), body(framed))


def test_weights_start_within_the_bounds_of_the_paper():
    body = LeNet(2, 1)
    initialise(body, torch.Generator().manual_seed(0))
    for layer, fan in ((body.c1[1], 25), (body.c5[0], 400), (body.s2[0], 4), (body.f6[0], 120)):
        weight = layer.factor if fan == 4 else layer.weight
        assert 0.5 * 2.4 / fan < weight.abs().max() <= 2.4 / fan
    three, six = body.c3[0].weight[:3], body.c3[0].weight[-6:]
    assert 0.9 * 2.4 / 75 < three.abs().max() <= 2.4 / 75
    assert 0.9 * 2.4 / 150 < six.abs().max() <= 2.4 / 150


def test_an_unknown_form_is_refused():
    with pytest.raises(SettingError, match="paper and modern, not 'old'"):
        LeNet(2, 1, form="old")
