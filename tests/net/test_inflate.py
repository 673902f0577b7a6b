"""Weights of pictures in other networks keep the answer to a constant image, and to more."""

import pytest
import torch
from torch.nn.functional import conv2d, conv3d, interpolate

from medclf.net.inflate import inflate, resample, spread_channels


@pytest.fixture
def kernel():
    return torch.randn(4, 3, 7, 7, generator=torch.Generator().manual_seed(0))


def test_a_grey_picture_gives_what_it_gives_as_rgb(kernel):
    grey = torch.rand(2, 1, 9, 9)
    wanted = conv2d(grey.expand(-1, 3, -1, -1), kernel)
    assert torch.allclose(conv2d(grey, spread_channels(kernel, 1)), wanted, atol=1e-5)
    assert torch.equal(spread_channels(kernel, 1), kernel.sum(1, keepdim=True))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_any_channels_keep_the_answer_to_a_constant_image(kernel, channels):
    fitted = spread_channels(kernel, channels)
    assert fitted.shape == (4, channels, 7, 7)
    assert torch.allclose(fitted.sum((1, 2, 3)), kernel.sum((1, 2, 3)), atol=1e-4)
    assert (fitted is kernel) == (channels == 3)


@pytest.mark.parametrize("edges", [(3, 3), (3, 7), (2, 5), (7, 7), (1, 1)])
def test_a_smaller_kernel_keeps_the_answer_to_a_constant_image(kernel, edges):
    fitted = resample(kernel, edges)
    assert fitted.shape == (4, 3, *edges)
    assert torch.allclose(fitted.sum((2, 3)), kernel.sum((2, 3)), atol=1e-4)
    assert edges != (7, 7) or torch.allclose(fitted, kernel, atol=1e-6)


@pytest.mark.parametrize(("large", "small"), [(7, 3), (11, 3), (6, 2)])
def test_a_smaller_kernel_sees_what_the_larger_sees_enlarged(large, small):
    """An image enlarged large / small times, cell by cell, under the large kernel."""
    kernel, picture = torch.randn(1, 1, large, large), torch.rand(1, 1, small, small)
    enlarged = interpolate(picture, scale_factor=large, mode="nearest")
    enlarged = enlarged.view(1, 1, large, small, large, small).mean((3, 5))
    wanted, found = conv2d(enlarged, kernel), conv2d(picture, resample(kernel, (small, small)))
    assert torch.allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("depth", [1, 3, 7])
def test_a_repeated_picture_gives_what_the_picture_gives(kernel, depth):
    picture = torch.rand(1, 3, 9, 9)
    volume = picture[:, :, None].expand(-1, -1, depth + 2, -1, -1)
    found = conv3d(volume, inflate(kernel, depth))
    wanted = conv2d(picture, kernel)
    assert found.shape[2] == 3
    assert torch.allclose(found, wanted[:, :, None].expand_as(found), atol=1e-4)
