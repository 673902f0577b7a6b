import torch

from medclf.fuse.pooling import Maximum, Mean

VIEWS = torch.tensor([[[1.0, 5.0, 0.0, 2.0], [3.0, 1.0, 0.0, 2.0], [9.0, 9.0, 9.0, 9.0]]])
TWO = torch.tensor([[True, True, False]])


def test_mean_by_hand():
    assert Mean(4)(VIEWS, TWO).tolist() == [[2, 3, 0, 2]]


def test_maximum_by_hand():
    assert Maximum(4)(VIEWS, TWO).tolist() == [[3, 5, 0, 2]]


def test_the_maximum_of_negative_features_is_not_the_zero_of_an_absent_view():
    assert Maximum(4)(-VIEWS, TWO).tolist() == [[-1, -1, 0, -2]]
