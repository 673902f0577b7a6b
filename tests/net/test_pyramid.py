"""Maps of bodies joined to a fine one."""

import pytest
import torch

from medclf.errors import SettingError
from medclf.net.pyramid import Pyramid
from medclf.net.start import initialise
from medclf.net.table import build_body


@pytest.mark.parametrize("name", ["sprint", "lenet5", "resnet18", "vgg11", "densenet121"])
@pytest.mark.parametrize("size", [(64, 48), (32, 36, 40)])
def test_a_pyramid_stands_on_any_body(name, size):
    body = build_body(name, len(size), 1, size)
    pyramid = Pyramid(body, 1, size, width=16)
    initialise(pyramid, torch.Generator().manual_seed(0))
    if name in ("sprint", "lenet5"):  # the others take long to run
        found = pyramid(body.eval().stages(torch.zeros(2, 1, *size)))
        assert found.shape == (2, 16, *pyramid.space)
    finest = [cells / edge for cells, edge in zip(pyramid.space, size, strict=True)]
    assert 0.2 < min(finest) <= max(finest) <= 0.51
    assert len(pyramid.names) > 1


def test_every_level_counts():
    """The finest map alone decides nothing: a change in any of the maps shows."""
    body = build_body("sprint", 2, 1, (64, 64))
    pyramid = Pyramid(body, 1, (64, 64)).eval()
    chance = torch.Generator().manual_seed(1)
    maps = {name: m.detach() for name, m in body.stages(torch.zeros(1, 1, 64, 64)).items()}
    before = pyramid(maps)
    for name in pyramid.names:
        other = {**maps, name: torch.rand(maps[name].shape, generator=chance)}
        assert not torch.allclose(pyramid(other), before)


def test_a_body_without_a_map_in_between_is_refused():
    with pytest.raises(SettingError, match=r"maps of half of \(2, 2\) or less wanted, found none"):
        Pyramid(build_body("sprint", 2, 1, (2, 2)), 1, (2, 2))
