import torch
from torch import nn

from medclf.net.precision import MaxPool3d, without_autocast


def test_a_maximum_keeps_its_precision_and_its_order_in_memory():
    x = torch.randn(2, 16, 6, 6, 7).bfloat16().contiguous(memory_format=torch.channels_last_3d)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = MaxPool3d(2)(x)
    assert out.dtype == torch.bfloat16
    assert out.is_contiguous(memory_format=torch.channels_last_3d)
    assert torch.equal(out.float(), nn.MaxPool3d(2)(x.float()))


def test_autocast_is_off_within_and_on_again_after():
    linear, x = nn.Linear(4, 4), torch.rand(1, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with without_autocast(x.device):
            assert linear(x).dtype == torch.float32
        assert linear(x).dtype == torch.bfloat16


def test_devices_without_autocast_pass():
    with without_autocast(torch.device("meta")):
        pass
