"""Doubtful labels against cleanlab, against its own figures kept here, and worked by hand."""

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.evaluate.noise import doubt_labels
from medclf.evaluate.table import Predictions

FIRST = [162, 145, 135, 285, 23, 104, 290, 379]


def draw(
    n: int, classes: int, wrong: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw true classes, labels of which some are wrong, and probabilities of a fair network."""
    rng = np.random.default_rng(seed)
    shares = np.arange(1, classes + 1) / sum(range(1, classes + 1))
    truth = rng.choice(classes, n, p=shares)
    label = np.where(rng.random(n) < wrong, rng.integers(0, classes, n), truth)
    logits = rng.normal(size=(n, classes)) + 2.5 * np.eye(classes)[truth]
    p = np.exp(logits)
    return truth, label, p / p.sum(1, keepdims=True)


def predictions(label: np.ndarray, p: np.ndarray, kind: str = "exclusive") -> Predictions:
    task = Task(tuple(f"class {k}" for k in range(p.shape[1])), kind)
    names = np.arange(len(p)).astype(str)
    return Predictions(task, names, names, np.full(len(p), "val"), label, p, np.zeros_like(p))


@pytest.mark.parametrize(("classes", "seed"), [(2, 0), (2, 1), (3, 2), (7, 3)])
def test_the_same_labels_in_the_same_order_as_cleanlab(classes, seed):
    pytest.importorskip("cleanlab", reason="cleanlab is not installed")
    from cleanlab.filter import find_label_issues

    _, label, p = draw(1500, classes, 0.15, seed)
    theirs = find_label_issues(
        label, p, filter_by="confident_learning", return_indices_ranked_by="normalized_margin"
    )
    assert [doubt.row for doubt in doubt_labels(predictions(label, p))] == theirs.tolist()


def test_the_first_doubts_are_those_of_cleanlab_as_kept():
    _, label, p = draw(400, 3, 0.2, 0)
    assert [doubt.row for doubt in doubt_labels(predictions(label, p))][:8] == FIRST


def test_a_small_case_worked_by_hand():
    p = np.array([0.1, 0.2, 0.9, 0.3, 0.8, 0.7, 0.6])  # of class 1
    label = np.array([0, 0, 0, 1, 1, 1, 1])
    # Usual for 0: (0.9 + 0.8 + 0.1) / 3 = 0.6; for 1: (0.3 + 0.8 + 0.7 + 0.6) / 4 = 0.6.
    both = np.stack([1 - p, p], 1)
    found = doubt_labels(predictions(label, both))
    assert [(d.row, d.given, d.guess) for d in found] == [(2, 0, 1), (3, 1, 0)]
    assert [d.margin for d in found] == pytest.approx([-0.8, -0.4])
    assert [d.probability for d in found] == pytest.approx([0.9, 0.7])


def test_planted_wrong_labels_are_found():
    truth, label, p = draw(4000, 4, 0.1, 0)
    rows = [doubt.row for doubt in doubt_labels(predictions(label, p))]
    wrong = label != truth
    assert wrong[rows].mean() > 0.6
    assert wrong[rows[:100]].mean() > 0.9
    assert wrong[rows].sum() > 0.5 * wrong.sum()


def test_findings_are_doubted_one_by_one():
    rng = np.random.default_rng(0)
    truth = (rng.random((300, 2)) < 0.4).astype(np.int64)
    label = truth.copy()
    label[7, 1] ^= 1
    label[30, 0] ^= 1
    p = np.where(truth == 1, 0.9, 0.1) + rng.uniform(-0.05, 0.05, truth.shape)
    p[7, 1], p[30, 0] = abs(truth[7, 1] - 0.01), abs(truth[30, 0] - 0.01)
    found = doubt_labels(predictions(label, p, "coexisting"))
    assert {(d.row, d.finding, d.given) for d in found} == {
        (7, 1, int(label[7, 1])),
        (30, 0, int(label[30, 0])),
    }


def test_exams_without_label_and_classes_without_exams_are_passed_over():
    p = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.0, 0.1, 0.9], [0.1, 0.9, 0.0]])
    label = np.array([0, 1, -1, 0])
    found = doubt_labels(predictions(label, p))
    assert [(d.row, d.guess) for d in found] == [(3, 1)]
    assert doubt_labels(predictions(np.full(4, -1), p)) == ()
