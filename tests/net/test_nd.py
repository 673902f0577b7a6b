import pytest
import torch
from torch import nn

from medclf.errors import SettingError
from medclf.net.nd import conv_norm, kept_strides, layers, spread
from medclf.net.start import initialise
from medclf.net.style import Style


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dims", [1, 4, "2"])
def test_other_numbers_of_axes_are_refused(dims):
    with pytest.raises(SettingError, match="2 or 3 axes"):
        layers(dims)


@pytest.mark.parametrize("dims", [2, 3])
def test_every_layer_takes_its_axes(dims):
    kind = layers(dims)
    x = torch.rand(2, 4, *(6,) * dims)
    half, one = (2, 4, *(3,) * dims), (2, 4, *(1,) * dims)
    assert kind.conv(4, 8, 3)(x).shape == (2, 8, *(4,) * dims)
    assert kind.norm(4)(x).shape == x.shape
    assert kind.max_pool(2)(x).shape == kind.avg_pool(2)(x).shape == half
    assert kind.adaptive_avg_pool(1)(x).shape == one
    assert kind.convolve(x, torch.ones(1, 4, *(1,) * dims)).shape == (2, 1, *(6,) * dims)
    assert x.contiguous(memory_format=kind.memory_format).shape == x.shape


def test_conv_norm_pads_odd_kernels_to_the_same_shape():
    x = torch.rand(2, 4, 9, 10)
    assert conv_norm(layers(2), 4, 8, 3)(x).shape == (2, 8, 9, 10)
    assert conv_norm(layers(2), 4, 8, (1, 7))(x).shape == (2, 8, 9, 10)
    assert conv_norm(layers(2), 4, 8, 3, dilation=2)(x).shape == (2, 8, 9, 10)
    assert conv_norm(layers(2), 4, 8, 4, stride=2)(x).shape == (2, 8, 4, 5)
    assert conv_norm(layers(2), 4, 8, 3, padding=0)(x).shape == (2, 8, 7, 8)


def test_conv_norm_counts():
    count = sum(p.numel() for p in conv_norm(layers(3), 4, 8, 3, groups=4).parameters())
    assert count == 8 * 1 * 27 + 2 * 8  # one channel in per group, no bias, scale and shift


def test_spread_wants_one_number_per_axis():
    assert spread(3, 2) == (3, 3)
    assert spread([1, 2, 3], 3) == (1, 2, 3)
    with pytest.raises(SettingError, match="one number or 3"):
        spread((1, 2), 3)


@pytest.mark.parametrize(("groups", "variance"), [(1, 2 / (64 * 9)), (4, 2 / (16 * 9))])
def test_convolutions_have_the_variance_of_he(groups, variance):
    conv = nn.Conv2d(64, 64, 3, groups=groups)
    initialise(conv, seeded())
    assert conv.weight.var().item() == pytest.approx(variance, rel=0.05)
    assert not conv.bias.any()


def test_norms_and_linear_layers_start_afresh():
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(300, 200))
    with torch.no_grad():
        module[0].weight.fill_(5)
        module[0].running_mean.fill_(5)
    initialise(module, seeded())
    assert module[0].weight.eq(1).all()
    assert not module[0].running_mean.any()
    assert module[2].weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not module[2].bias.any()


def test_weights_are_the_same_in_any_memory_order_and_leave_the_global_chance_alone():
    plain, turned = nn.Conv2d(3, 5, 3), nn.Conv2d(3, 5, 3).to(memory_format=torch.channels_last)
    before = torch.get_rng_state()
    initialise(plain, seeded())
    initialise(turned, seeded())
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(plain.weight, turned.weight)
    initialise(turned, seeded(1))
    assert not torch.equal(plain.weight, turned.weight)


def test_weights_without_a_rule_are_refused():
    with pytest.raises(SettingError, match="no rule to initialise the weights of PReLU"):
        initialise(nn.Sequential(nn.PReLU()), seeded())


def test_strides_are_dropped_by_axis_where_the_last_map_would_be_too_small():
    assert kept_strides((96, 95), (2,) * 5) == [(2, 1), *[(2, 2)] * 4]
    assert kept_strides((24, 24, 24), (2,) * 5) == [(1,) * 3, (1,) * 3, *[(2,) * 3] * 3]
    assert kept_strides((2, 224, 2), (4, 2)) == [(1, 4, 1), (1, 2, 1)]


def test_kernels_follow_the_kept_strides():
    kind = layers(3)
    assert kind.stem(7, (1, 2, 2)) == (3, 7, 7)
    assert layers(3, Style(volume="acs")).stem(7, (1, 2, 2)) == (7, 7)
    x = torch.rand(1, 2, 5, 8, 8)
    assert kind.shrink(3, (1, 2, 2), padding=1)(x).shape == (1, 2, 5, 4, 4)
    assert kind.shrink(3, (1, 1, 1), padding=1)(x) is x
