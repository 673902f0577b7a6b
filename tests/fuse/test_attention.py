from math import exp, log, tanh

import pytest
import torch

from medclf.errors import SettingError
from medclf.fuse.attention import Attention

VIEWS = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]]])


def by_hand(gated):
    """One hidden unit that looks at the first feature; its gate at the second."""
    fuser = Attention(2, hidden=1, gated=gated)
    state = {"content.weight": [[1.0, 0.0]], "content.bias": [0.0], "score.weight": [[2.0]]}
    if gated:
        state |= {"gate.weight": [[0.0, 1.0]], "gate.bias": [log(3)]}
    fuser.load_state_dict({name: torch.tensor(values) for name, values in state.items()})
    return fuser


def joined(weights):
    """The mean of the three views by their weights."""
    return [weights[0] - weights[2], 2 * weights[1] + weights[2]]


def test_attention_by_hand():
    scores = [2 * tanh(1), 0, -2 * tanh(1)]
    raised = [exp(score) for score in scores]
    weights = [each / sum(raised) for each in raised]
    assert by_hand(gated=False)(VIEWS)[0].tolist() == pytest.approx(joined(weights))


def test_a_gate_by_hand():
    """The gate of a view is 3 / (3 + exp(-second feature))."""
    gate = [3 / (3 + exp(-second)) for second in (0, 2, 1)]
    scores = [2 * tanh(1) * gate[0], 0, -2 * tanh(1) * gate[2]]
    raised = [exp(score) for score in scores]
    weights = [each / sum(raised) for each in raised]
    assert by_hand(gated=True)(VIEWS)[0].tolist() == pytest.approx(joined(weights))


def test_weights_are_shared_out_among_the_views_that_are_there():
    found = by_hand(gated=False)(VIEWS, torch.tensor([[True, False, True]]))
    first = exp(2 * tanh(1))
    weights = [first / (first + 1 / first), 0, 1 / (first**2 + 1)]
    assert found[0].tolist() == pytest.approx(joined(weights))


def test_attention_finds_the_view_that_tells():
    """One of six views bears the mark, in half of the bags; the mark alone tells the class."""
    torch.manual_seed(0)
    bags, target = torch.randn(256, 6, 8), torch.arange(256) % 2
    place = torch.randint(6, (256,))
    bags[torch.arange(256), place, 0] += 4.0 * target
    fuser, head = Attention(8, hidden=8), torch.nn.Linear(8, 2)
    learnt = torch.optim.Adam([*fuser.parameters(), *head.parameters()], lr=0.03)
    for _ in range(50):
        learnt.zero_grad()
        torch.nn.functional.cross_entropy(head(fuser(bags)), target).backward()
        learnt.step()
    moved = []
    for view in range(6):
        less = torch.ones(256, 6, dtype=torch.bool)
        less[:, view] = False
        moved.append((head(fuser(bags)) - head(fuser(bags, less)))[:, 1])
    found = torch.stack(moved, 1).argmax(1) == place
    assert found[target == 1].float().mean() > 0.9


def test_no_hidden_unit_is_refused():
    with pytest.raises(SettingError, match="1 hidden unit or more, not 0"):
        Attention(4, hidden=0)
