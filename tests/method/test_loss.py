import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from medclf.core.task import Task
from medclf.method.loss import task_loss

THREE = ("a", "b", "c")


def test_exclusive_is_cross_entropy_with_smoothing():
    logits = torch.randn(5, 3)
    labels = torch.tensor([0, 1, 2, 2, 0])
    found = task_loss(logits, torch.eye(3)[labels], Task(THREE), smoothing=0.1)
    assert torch.isclose(found, cross_entropy(logits, labels, label_smoothing=0.1))


def test_coexisting_by_hand():
    task = Task(("x", "y"), "coexisting")
    logits = torch.tensor([[0.0, np.log(3.0)]])
    found = task_loss(logits, torch.tensor([[1.0, 0.0]]), task)
    assert found.item() == pytest.approx((np.log(2) - np.log(0.25)) / 2, abs=1e-6)


def test_ranked_counts_each_step():
    task = Task(THREE, "ranked")
    logits = torch.tensor([[np.log(4.0), -np.log(4.0)]])
    middle = task_loss(logits, torch.eye(3)[[1]], task)
    assert middle.item() == pytest.approx(-np.log(0.8), abs=1e-6)
    lowest = task_loss(logits, torch.eye(3)[[0]], task)
    assert lowest.item() == pytest.approx(-(np.log(0.2) + np.log(0.8)) / 2, abs=1e-6)


@pytest.mark.parametrize("kind", ["exclusive", "coexisting", "ranked"])
def test_weights_make_a_class_count_more(kind):
    task = Task(THREE, kind)
    logits = torch.zeros(1, task.outputs)
    plain = task_loss(logits, torch.eye(3)[[2]], task)
    heavy = task_loss(logits, torch.eye(3)[[2]], task, class_weights=(1.0, 1.0, 3.0))
    assert heavy > plain


def test_bfloat16_logits_are_compared_in_full_precision():
    logits = torch.randn(4, 3).bfloat16()
    found = task_loss(logits, torch.eye(3)[[0, 1, 2, 0]], Task(THREE))
    assert found.dtype == torch.float32
