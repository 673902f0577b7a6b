import pytest
import torch
from torch import nn

from medclf.errors import SettingError
from medclf.fuse.recurrent import CELLS, Recurrent

KINDS = pytest.mark.parametrize("both_ways", [False, True])
CELL = pytest.mark.parametrize("cell", CELLS)
TAKE = pytest.mark.parametrize("take", ["last", "mean"])


def made(cell="gru", both_ways=False, take="last"):
    torch.manual_seed(0)
    return Recurrent(5, hidden=3, cell=cell, both_ways=both_ways, take=take)


def read(fuser, views):
    """What the layer of PyTorch says of whole sequences."""
    states, end = fuser.cell(views)
    if fuser.take == "mean":
        return states.mean(1)
    end = end[0] if isinstance(fuser.cell, nn.LSTM) else end
    return torch.cat(list(end), 1)


@CELL
@KINDS
@TAKE
def test_full_sequences_are_read_as_by_pytorch(cell, both_ways, take):
    fuser, views = made(cell, both_ways, take), torch.randn(4, 7, 5)
    assert isinstance(fuser.cell, CELLS[cell])
    assert torch.allclose(fuser(views), read(fuser, views), atol=1e-6)


@CELL
@KINDS
@TAKE
def test_absent_views_anywhere_are_as_if_never_counted(cell, both_ways, take):
    fuser, views = made(cell, both_ways, take), torch.randn(2, 7, 5)
    present = torch.tensor([[0, 1, 1, 0, 1, 0, 0], [1, 1, 1, 1, 0, 1, 1]]).bool()
    found = fuser(views, present)
    for exam, there in enumerate(present):
        short = read(fuser, views[exam : exam + 1, there])
        assert torch.allclose(found[exam : exam + 1], short, atol=1e-6)


def test_order_matters_and_the_second_way_reads_backward():
    views = torch.randn(2, 4, 5)
    assert not torch.allclose(made()(views), made()(views.flip(1)))
    fuser = made(both_ways=True)
    ahead, back = fuser(views).chunk(2, dim=1)
    for name, weights in list(fuser.cell.named_parameters()):
        if name.endswith("_reverse"):
            getattr(fuser.cell, name.removesuffix("_reverse")).data.copy_(weights)
    assert torch.allclose(fuser(views.flip(1))[:, :3], back, atol=1e-6)
    assert not torch.allclose(ahead, back)


@pytest.mark.parametrize("wrong", [{"cell": "rnn"}, {"take": "first"}, {"hidden": 0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(SettingError, match="cell gru or lstm, take last or mean"):
        Recurrent(5, **wrong)
