import pytest
import torch

from medclf.errors import SettingError
from medclf.look.resize import resize
from medclf.look.scales import near_and_far


@pytest.mark.parametrize("dims", [2, 3])
def test_each_scale_shows_its_share_of_the_edge(dims):
    # A ramp about the middle: shrinking to a share of the edge flattens it by that share.
    ramp = (torch.arange(32.0) - 15.5).expand(2, 3, *[32] * dims)
    seen = near_and_far(ramp, (0.25, 0.5, 1.0), [8] * dims)
    assert seen.shape == (2, 3, 3, *[8] * dims)
    slopes = (seen[..., 4] - seen[..., 3]).flatten(2).mean(2)
    assert torch.allclose(slopes, torch.tensor([1.0, 2, 4]).expand(2, 3), atol=1e-4)
    assert seen[..., 3:5].mean().abs() < 1e-5


def test_scales_stand_in_the_order_asked():
    batch = torch.rand(2, 1, 20, 20)
    seen = near_and_far(batch, (1.0, 0.3), (10, 10))
    assert torch.equal(seen[:, 1], resize(batch, (10, 10), 0.3))


def test_no_scale_at_all_is_refused():
    with pytest.raises(SettingError, match="at least one share"):
        near_and_far(torch.rand(1, 1, 8, 8), (), (4, 4))
