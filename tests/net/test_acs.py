"""ACS convolution against three ordinary ones with kernels of one plane each."""

import pytest
import torch
from torch import nn

from medclf.errors import SettingError
from medclf.net.acs import PLANES, AcsConv


def three(conv, x, cut):
    """What three `nn.Conv3d` say, each with a third of the kernels, squeezed along one axis."""
    shares, groups = conv.weight.tensor_split(_edges(conv)), conv.groups
    inputs = x.tensor_split([n * x.shape[1] // groups for n in _groups(conv)], 1)
    biases = conv.bias.tensor_split(_edges(conv))
    found = []
    for axes, weight, bias, part in zip(PLANES, shares, biases, inputs, strict=True):
        if not len(weight):
            continue
        (across,) = {0, 1, 2} - set(axes)
        shape = [list(values) for values in (conv.plane, conv.padding, conv.steps)]
        for values, one in zip(shape, (1, 0, 1), strict=True):
            values.insert(across, one)
        kernel, padding, dilation = shape
        within = len(weight) * groups // len(conv.weight) if groups > 1 else 1
        here = part if groups > 1 else x
        layer = nn.Conv3d(
            *(here.shape[1], len(weight), kernel, conv.stride, padding, dilation, within)
        )
        layer.weight = nn.Parameter(weight.unsqueeze(2 + across))
        layer.bias = nn.Parameter(bias)
        length = here.shape[2 + across] - sum(cut)
        found.append(layer(here.narrow(2 + across, cut[0], length)))
    return torch.cat(found, 1)


def _groups(conv):
    count = conv.groups
    return [-(-count // 3), -(-2 * count // 3)]


def _edges(conv):
    count = len(conv.weight) if conv.groups == 1 else conv.groups
    each = len(conv.weight) // count
    return [-(-count // 3) * each, -(-2 * count // 3) * each]


@pytest.mark.parametrize(
    ("settings", "cut"),
    [
        ({"kernel": (3, 3), "stride": (1, 1, 1), "padding": (1, 1)}, (0, 0)),
        ({"kernel": (7, 7), "stride": (1, 2, 2), "padding": (3, 3)}, (0, 0)),
        ({"kernel": (1, 1), "stride": (2, 2, 2), "padding": (0, 0)}, (0, 0)),
        ({"kernel": (1, 5), "stride": (1, 1, 1), "padding": (0, 2)}, (0, 0)),
        ({"kernel": (3, 3), "stride": (2, 1, 2), "padding": (2, 2), "dilation": (2, 2)}, (0, 0)),
        ({"kernel": (3, 3), "stride": (1, 1, 1), "padding": (0, 0)}, (1, 1)),
        ({"kernel": (2, 2), "stride": (2, 2, 2), "padding": (0, 0)}, (0, 1)),
        ({"kernel": (4, 4), "stride": (2, 2, 2), "padding": (1, 1)}, (0, 1)),
        ({"kernel": (3, 3), "stride": (2, 2, 2), "padding": (1, 1), "groups": 12}, (0, 0)),
        ({"kernel": (3, 3), "stride": (1, 1, 1), "padding": (1, 1), "groups": 4}, (0, 0)),
        ({"kernel": (3, 3), "stride": (1, 1, 1), "padding": (1, 1), "groups": 2}, (0, 0)),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_it_is_three_squeezed_convolutions(settings, cut):
    torch.manual_seed(0)
    conv = AcsConv(12, 24, **settings)
    nn.init.normal_(conv.bias)
    x = torch.rand(2, 12, 8, 10, 12)
    with torch.no_grad():
        assert torch.allclose(conv(x), three(conv, x, cut), atol=1e-5)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 2, 1), (2, 2, 0), (4, 2, 1)])
@pytest.mark.parametrize("maps", [1, 2, 7])
def test_it_has_the_shape_of_a_cubic_kernel(kernel, stride, padding, maps):
    flat = AcsConv(2, maps, (kernel,) * 2, (stride,) * 3, (padding,) * 2)
    cubic = nn.Conv3d(2, maps, kernel, stride, padding)
    x = torch.rand(1, 2, 9, 8, 11)
    assert flat(x).shape == cubic(x).shape
    assert flat.weight.shape == nn.Conv2d(2, maps, kernel).weight.shape


def test_oblong_kernels_must_keep_the_shape():
    with pytest.raises(SettingError, match=r"oblong ACS kernel must keep the shape; \(1, 7\)"):
        AcsConv(2, 2, (1, 7), (1, 1, 1), (0, 0))


def test_its_kernels_are_laid_out_as_those_of_a_volume():
    torch.manual_seed(0)
    conv, x = AcsConv(4, 8, (3, 3), (1, 2, 2), (1, 1)), torch.rand(2, 4, 6, 7, 8)
    wanted = conv(x)
    order = torch.channels_last_3d
    turned = conv.to(memory_format=order)(x.contiguous(memory_format=order))
    assert torch.allclose(turned, wanted, atol=1e-6)
    turned.sum().backward()
    assert conv.weight.grad.shape == conv.weight.shape == (8, 4, 3, 3)
    assert conv.weight.stride()[1] == 1
    assert conv.double().weight.dtype == torch.float64
