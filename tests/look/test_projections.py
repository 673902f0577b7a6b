import numpy as np
import pytest
import torch

from medclf.errors import SettingError
from medclf.look.projections import projections


def test_projections_are_those_of_numpy():
    batch = torch.randn(2, 3, 9, 9, 9, generator=torch.Generator().manual_seed(7))
    seen = projections(batch, (9, 9))
    assert seen.shape == (2, 3, 6, 9, 9)
    for view in range(3):
        assert np.allclose(seen[:, view, :3], batch.numpy().max(2 + view))
        assert np.allclose(seen[:, view, 3:], batch.numpy().mean(2 + view), atol=1e-6)


def test_projections_of_a_flat_volume_are_brought_to_one_size():
    batch = torch.ones(1, 1, 5, 20, 30, dtype=torch.uint8)
    seen = projections(batch, (24, 24), ("mean",))
    assert seen.shape == (1, 3, 1, 24, 24)
    assert torch.allclose(seen, torch.tensor(1.0))


@pytest.mark.parametrize(
    ("shape", "kinds", "said"),
    [((1, 1, 4, 4), ("mean",), "found shape"), ((1, 1, 4, 4, 4), ("sum",), "maximum, mean wanted")],
)
def test_what_does_not_fit_is_refused(shape, kinds, said):
    with pytest.raises(SettingError, match=said):
        projections(torch.zeros(shape), (4, 4), kinds)
