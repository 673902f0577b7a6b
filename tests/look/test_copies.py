import torch

from medclf.look.copies import shifted_copies


def test_copies_are_the_exam_moved_by_whole_samples():
    batch = torch.arange(25.0).view(1, 1, 5, 5)
    copies = shifted_copies(batch, 0.2)
    assert copies.shape == (1, 5, 1, 5, 5)
    assert torch.equal(copies[:, 0], batch)
    assert torch.equal(copies[0, 1, 0, 1:], batch[0, 0, :-1])  # down
    assert torch.equal(copies[0, 1, 0, 0], batch[0, 0, 0])  # the border fills the gap
    assert torch.equal(copies[0, 4, 0, :, :-1], batch[0, 0, :, 1:])  # to the left


def test_volumes_have_seven_copies_and_mirrored_ones_beside():
    batch = torch.rand(2, 1, 4, 5, 6)
    copies = shifted_copies(batch, 0.2, mirror=(2,))
    assert copies.shape == (2, 14, 1, 4, 5, 6)
    assert torch.equal(copies[:, 7], batch.flip(-1))


def test_no_shift_gives_the_exam_alone():
    batch = torch.rand(2, 3, 4, 5)
    assert torch.equal(shifted_copies(batch, 0.0), batch.unsqueeze(1))
