import numpy as np
import torch

from medclf.learn.exams import Exams, measure_values
from medclf.learn.trained import Held

CPU = torch.device("cpu")


def test_exams_of_several_images_come_as_views_with_gaps():
    values = np.arange(5, dtype=np.float32)[:, None, None, None] * np.ones((1, 1, 2, 2), np.float32)
    rows = Held(values, np.array([[0, 1, -1], [2, -1, -1], [3, 4, -1]]))
    facts = torch.tensor([[1.0], [torch.nan], [3.0]])
    exams = Exams(rows, torch.eye(3), (0.0,), (1.0,), CPU, facts)
    views, target = exams.batch(np.array([1, 2]))
    assert views.values.shape == (2, 2, 1, 2, 2)
    assert views.present.tolist() == [[True, False], [True, True]]
    assert views.values[:, :, 0, 0, 0].tolist() == [[2, 0], [3, 4]]
    assert torch.equal(target, torch.eye(3)[1:])
    assert views.facts.isnan().tolist() == [[True], [False]]


def test_all_images_of_an_exam_are_measured():
    values = np.zeros((3, 1, 2, 2), np.float32)
    values[1], values[2] = 6, 99
    rows = Held(values, np.array([[0, 1], [2, -1]]))
    assert measure_values(rows, np.array([0]))["mean"] == [3.0]
