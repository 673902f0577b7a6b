import torch

from medclf.look.even import even_steps
from medclf.method.random_views import Triplets


def test_in_use_an_exam_is_turned_alike_whoever_is_asked_beside_it():
    see = Triplets(even_steps((8, 8, 8), ()), 6, 2, 3, stretch=0.1, shift=0.5)
    chance = torch.Generator().manual_seed(0)
    volumes = torch.rand(3, 1, 8, 8, 8, generator=chance)
    alone, together = see(volumes[1:2], chance, False), see(volumes, chance, False)
    assert torch.allclose(alone, together[1:2])
    assert not torch.allclose(alone[:, 0], alone[:, 1])
    assert not torch.allclose(see(volumes, chance, True), see(volumes, chance, True))
