import pytest
import torch

from medclf.net.decoder import Decoder, grids
from medclf.net.start import initialise


@pytest.mark.parametrize("size", [(28, 12), (5, 16, 16), (3, 3)])
def test_a_code_becomes_an_image_of_the_size(size):
    one, other = Decoder(8, 2, size), Decoder(8, 2, size)
    for decoder in (one, other):
        initialise(decoder, torch.Generator().manual_seed(1))
        decoder.eval()
    code = torch.randn(3, 8)
    image = one(code)
    assert image.shape == (3, 2, *size)
    assert torch.equal(image, other(code))
    assert image.abs().max() < 0.5  # it begins near the mean


def test_grids_double_up_to_the_size():
    assert grids((32,)) == [(4,), (8,), (16,), (32,)]
    assert grids((9, 3)) == [(3, 1), (5, 2), (9, 3)]
