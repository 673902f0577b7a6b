import pytest
import torch

from medclf.errors import SettingError
from medclf.fuse.concatenate import SideBySide

VIEWS = torch.tensor([[[3.0, 4.0], [9.0, 9.0], [0.0, 15.0]]])


def test_views_stand_side_by_side_with_zeros_for_the_absent():
    fuser, present = SideBySide(2, views=3), torch.tensor([[True, False, True]])
    assert fuser.features == 6
    assert fuser(VIEWS, present).tolist() == [[3, 4, 0, 0, 0, 15]]


def test_another_number_of_views_is_refused():
    with pytest.raises(SettingError, match="4 views of each exam wanted, found 3"):
        SideBySide(2, views=4)(VIEWS)
