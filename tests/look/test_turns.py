import pytest
import torch
from scipy.spatial.transform import Rotation
from scipy.stats import kstest

from medclf.errors import SettingError
from medclf.look.turns import random_turns


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def test_turns_are_proper_and_uniform():
    axes = random_turns(50, 40, chance())[..., 1:].flatten(0, 1)
    assert torch.allclose(axes @ axes.mT, torch.eye(3).expand(2000, 3, 3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(axes), torch.ones(2000), atol=1e-5)
    # Of uniform turns each part of a turned axis is uniform, by Archimedes; and the angle is
    # spread as that of SciPy's.
    for part in axes.flatten(1).T:
        assert kstest(part.numpy(), "uniform", args=(-1, 2)).pvalue > 1e-3
    ours = Rotation.from_matrix(axes.numpy()).magnitude()
    assert kstest(ours, Rotation.random(20_000, rng=0).magnitude()).pvalue > 1e-3


def test_stretch_and_shift_keep_to_their_bounds():
    turns = random_turns(200, 5, chance(), stretch=0.2, shift=3.0)
    lengths = turns[..., 1:].norm(dim=-2)
    assert torch.allclose(lengths, lengths[..., :1].expand_as(lengths), atol=1e-5)
    assert 0.8 <= lengths.min() < 0.81
    assert 1.19 < lengths.max() <= 1.2 + 1e-5
    assert 2.9 < turns[..., 0].abs().max() <= 3.0
    assert not random_turns(9, 9, chance())[..., 0].any()


def test_the_same_seed_gives_the_same_turns():
    assert torch.equal(random_turns(2, 3, chance(1)), random_turns(2, 3, chance(1)))
    assert not torch.equal(random_turns(2, 3, chance(1)), random_turns(2, 3, chance(2)))


@pytest.mark.parametrize("wrong", [{"stretch": 1.0}, {"shift": -1.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        random_turns(1, 1, chance(), **wrong)
