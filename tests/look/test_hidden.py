import pytest
import torch

from medclf.errors import SettingError
from medclf.look.augment import Augment
from medclf.look.hidden import Hidden, hide_facts
from medclf.look.seen import Seen, alone
from medclf.look.views import Views


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def test_facts_are_hidden_one_by_one_and_all_at_once():
    known = ~hide_facts(torch.ones(20_000, 3), 0.2, 0.3, chance()).isnan()
    assert known.float().mean(0).tolist() == pytest.approx([0.7 * 0.8] * 3, abs=0.015)
    none = ~known.any(1)
    assert none.float().mean().item() == pytest.approx(0.3 + 0.7 * 0.2**3, abs=0.015)
    together = (known[:, 0] & known[:, 1]).float().mean().item()
    assert together == pytest.approx(0.7 * 0.8**2, abs=0.015)


def test_what_is_not_hidden_stays_and_what_was_missing_is_missing():
    facts = torch.tensor([[0.5, float("nan")]]).repeat(500, 1)
    seen = hide_facts(facts, 0.4, 0.0, chance())
    assert set(seen[:, 0].nan_to_num(-1).tolist()) == {0.5, -1.0}
    assert seen[:, 1].isnan().all()


def test_a_look_hides_facts_in_training_alone():
    look = Hidden(Seen(1, (4, 4), Augment(), alone), 0.5, 0.0)
    views = Views(torch.zeros(64, 1, 1, 4, 4), None, torch.ones(64, 3))
    assert look(views, chance(), training=True).facts.isnan().any()
    assert torch.equal(look(views, chance(), training=False).facts, views.facts)
    bare = Views(views.values)
    assert look(bare, chance(), training=True).facts is None
    assert (look.channels, look.size) == (1, (4, 4))


@pytest.mark.parametrize("wrong", [(1.0, 0.0), (0.1, -0.1)])
def test_wrong_chances_are_refused(wrong):
    with pytest.raises(SettingError, match="chances from 0 to below 1 wanted"):
        Hidden(Seen(1, (4, 4), Augment(), alone), *wrong)
