import pytest
import torch
from torch import nn

from medclf.net.nd import layers

WINDOWS = [
    ((2, 2, 2), (2, 2, 2), (0, 0, 0)),
    ((1, 2, 2), (1, 2, 2), (0, 0, 0)),
    ((2, 1, 1), (2, 1, 1), (0, 0, 0)),
    ((3, 3, 3), (1, 1, 1), (1, 1, 1)),
    ((3, 5, 3), (2, 3, 2), (1, 2, 0)),
]
ORDERS = [torch.contiguous_format, torch.channels_last_3d]


def volumes(order):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 5, 7, 9, 8, generator=generator).contiguous(memory_format=order)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("count_zeros", [False, True])
def test_means_of_volumes_are_those_of_pytorch(order, window, ceil, count_zeros):
    x = volumes(order)
    pool = layers(3).avg_pool(*window, ceil=ceil, count_zeros=count_zeros)
    truth = nn.AvgPool3d(*window, ceil_mode=ceil, count_include_pad=count_zeros)(x)
    assert torch.allclose(pool(x), truth, atol=1e-6)
    assert pool(x).is_contiguous(memory_format=order)


def test_means_of_volumes_keep_their_precision():
    x = volumes(torch.channels_last_3d).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layers(3).avg_pool(2)(x)
    assert out.dtype == torch.bfloat16
    truth = nn.AvgPool3d(2)(x.double())
    assert (out - truth).norm() / truth.norm() < 0.005
