from copy import deepcopy

import pytest
import torch
from torch import nn

from medclf.net.conv import Conv2d, Conv3d

# Spaces on which the layers of torch give bfloat16 weights a wrong gradient on some processors.
SHORT = [
    ((1, 1), 3, 2, 1),
    ((6, 1), 3, 2, 1),
    ((1, 1), 7, 2, 3),
    ((2, 2, 2), 3, 1, 1),
    ((2, 6, 6), 3, 1, 1),
    ((6, 1, 6), 3, 2, 1),
    ((3, 3, 3), 5, 1, 2),
    ((6, 2, 2), 4, 2, 1),
]
LONG = [((3, 3), 3, 2, 1), ((3, 4, 5), 3, 1, 1), ((4, 4, 4), 4, 2, 1)]


def results(conv, x, weights):
    image = x.clone().requires_grad_()
    out = conv(image)
    (out * weights).sum().backward()
    return out.detach(), image.grad, conv.weight.grad


def poison():
    """Leave freed memory full of NaN, so that a gradient not written shows."""
    for numbers in (1000, 2**16, 16 * 16 * 125, 16 * 16 * 27):
        torch.full((numbers,), float("nan"))


@pytest.mark.parametrize(("space", "kernel", "stride", "padding"), SHORT + LONG)
def test_bfloat16_gives_what_double_precision_gives(space, kernel, stride, padding):
    torch.manual_seed(0)
    ours, theirs = ((Conv2d, nn.Conv2d), (Conv3d, nn.Conv3d))[len(space) - 2]
    conv = ours(16, 16, kernel, stride, padding).bfloat16()
    truth = theirs(16, 16, kernel, stride, padding).double()
    truth.load_state_dict(conv.state_dict())
    x = torch.randn(2, 16, *space).bfloat16()
    weights = torch.randn_like(conv(x))
    poison()
    found = results(conv, x, weights)
    for value, true in zip(found, results(truth, x.double(), weights.double()), strict=True):
        assert (value - true).norm() < 0.01 * true.norm()


@pytest.mark.parametrize(("space", "kernel", "stride", "padding"), SHORT + LONG)
def test_single_precision_is_that_of_torch(space, kernel, stride, padding):
    ours, theirs = ((Conv2d, nn.Conv2d), (Conv3d, nn.Conv3d))[len(space) - 2]
    conv, reference = [kind(4, 6, kernel, stride, padding, groups=2) for kind in (ours, theirs)]
    reference.load_state_dict(conv.state_dict())
    x = torch.randn(2, 4, *space)
    assert torch.allclose(conv(x), reference(x), atol=1e-6)


@pytest.mark.parametrize(
    ("space", "kernel", "stride", "padding"),
    [
        ((6, 7, 8), 3, 1, 1),
        ((6, 7, 8), 3, 2, 1),
        ((2, 2, 2), 3, 1, 1),
        ((1, 5, 5), 5, 2, 2),
        ((4, 5, 6), (1, 3, 3), (1, 2, 2), (0, 1, 1)),
        ((9, 9, 9), 3, 1, 0),
    ],
)
@pytest.mark.parametrize("bias", [True, False])
def test_depthwise_volumes_are_those_of_torch(space, kernel, stride, padding, bias):
    torch.manual_seed(0)
    conv, truth = (
        kind(8, 8, kernel, stride, padding, groups=8, bias=bias) for kind in (Conv3d, nn.Conv3d)
    )
    truth.load_state_dict(conv.state_dict())
    truth = truth.double()
    x = torch.randn(2, 8, *space).contiguous(memory_format=torch.channels_last_3d)
    weights = torch.randn_like(conv(x))
    with torch.autocast("cpu", torch.bfloat16):
        found = results(conv, x, weights)
        assert conv(x).dtype == torch.bfloat16
    for value, true in zip(found, results(truth, x.double(), weights.double()), strict=True):
        assert value.shape == true.shape
        assert (value - true).norm() < 0.005 * true.norm()


def test_dilation_counts_as_reach():
    conv, reference = (kind(3, 3, 3, padding=4, dilation=4) for kind in (Conv2d, nn.Conv2d))
    reference.load_state_dict(conv.state_dict())
    x = torch.randn(2, 3, 8, 5)
    assert torch.allclose(conv(x), reference(x), atol=1e-6)


def test_memory_order_is_kept():
    x = torch.randn(2, 16, 2, 2, 2).contiguous(memory_format=torch.channels_last_3d)
    conv = Conv3d(16, 16, 3, padding=1).to(memory_format=torch.channels_last_3d)
    assert conv(x).is_contiguous(memory_format=torch.channels_last_3d)


@pytest.mark.parametrize("count", [1, 2, 16])
def test_mixing_channels_is_a_product_of_matrices(count):
    order = torch.channels_last_3d
    conv, reference = (kind(8, 5, 1).to(memory_format=order) for kind in (Conv3d, nn.Conv3d))
    reference.load_state_dict(conv.state_dict())
    x = torch.randn(count, 8, 3, 4, 5).contiguous(memory_format=order)
    weights = torch.randn(count, 5, 3, 4, 5)
    assert torch.allclose(conv(x), reference(x), atol=1e-5)
    # Gradients sum up to 960 products: in double precision no processor's order of them shows.
    wide = x.double(), weights.double()
    ours, theirs = (results(deepcopy(one).double(), *wide) for one in (conv, reference))
    for value, true in zip(ours, theirs, strict=True):
        assert torch.allclose(value, true, rtol=1e-10, atol=1e-10)
    assert conv(x).is_contiguous(memory_format=order)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert conv(x).dtype == torch.bfloat16
    assert conv.to("meta")(x.to("meta")).shape == (count, 5, 3, 4, 5)
