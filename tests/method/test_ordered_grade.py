import torch

from medclf.core.task import Task
from medclf.method.ordered_grade import Graded

GRADES = Task(("0", "1", "2", "3", "4"), "ranked")


def test_a_grade_learnt_as_a_number_is_rounded_whatever_its_steps():
    lesson = Graded(GRADES, by="regression")
    steps = torch.rand(200, 1, 4, generator=torch.Generator().manual_seed(0))
    shares, _ = lesson.decide(steps.logit())
    number = steps.sum(-1).squeeze(1)
    assert shares.argmax(1).tolist() == number.round().int().tolist()
    assert torch.allclose(shares.sum(1), torch.ones(200, dtype=shares.dtype))


def test_a_number_learns_only_from_its_distance_to_the_grade():
    lesson = Graded(GRADES, by="regression")
    steps = torch.tensor([[[0.9, 0.9, 0.1, 0.1]], [[0.1, 0.1, 0.9, 0.9]]]).logit()
    target = torch.eye(5)[[2, 3]]
    assert torch.isclose(lesson.loss(steps, target), torch.tensor(0.5))
    cumulative = Graded(GRADES, by="cumulative").loss(steps, target)
    both = Graded(GRADES, by="both").loss(steps, target)
    assert torch.isclose(both, cumulative + 0.5)


def test_a_number_among_many_grades_has_shares_that_are_numbers():
    task = Task(tuple("0123456789"), "ranked")
    steps = torch.rand(2000, 1, 9, generator=torch.Generator().manual_seed(0)).logit()
    shares = Graded(task, by="regression").probabilities(steps)
    assert shares.isfinite().all()
    assert torch.allclose(shares.sum(-1), torch.ones(2000, 1, dtype=shares.dtype))
