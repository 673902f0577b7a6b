"""Frozen features: what a body sees is worked out once, and scikit-learn fits the head to it.

Linear heads are scaled back to the features as they are and become the last layer's weights; a
forest becomes arrays. So a run with such a head is kept and used like any other. How strongly a
linear head is held back is chosen on validation.

Source: Razavian et al. CNN Features Off-the-Shelf: an Astounding Baseline for Recognition. CVPR
Workshops 2014.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.evaluate.score import log_losses
from medclf.learn.committee import Part, figures
from medclf.learn.exams import Exams
from medclf.learn.loop import Indices, precision
from medclf.learn.member import Member
from medclf.learn.settings import Fit
from medclf.method.contract import Method
from medclf.net.forest import LEAVES, NODES, TREES, Forest

Numbers = NDArray[np.float64]
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@torch.inference_mode()
def embed(method: Method, exams: Exams, indices: Indices, fit: Fit) -> Numbers:
    """Give what the head of a method judges, of exams: (N,) -> (N, F)."""
    method.eval()
    found, generator = [], Generator().manual_seed(fit.seed)
    for part in np.array_split(indices, max(1, len(indices) // 64)):
        with precision(fit, exams.device):
            views = method.look(exams.views(part), generator)
            found.append(method.embed(views).float().cpu())
    return torch.cat(found).numpy().astype(np.float64)


def fit_heads(
    members: Sequence[Member],
    exams: Exams,
    parts: Sequence[Part],
    head: str,
    after_epoch: Callable[[Member], bool],
) -> None:
    """Fit the head of every member to the features of its body, which they mostly have in common.

    Args:
        members: With bodies that are kept as they are.
        parts: What each learns from, and validates on.
        head: "logistic", "svm" or "forest".
        after_epoch: Called when a member is fitted.
    """
    wanted = np.unique(np.concatenate([np.union1d(p.training, p.validation) for p in parts]))
    seen: tuple[Member, Numbers] | None = None
    target = exams.target.numpy()
    for member, part in zip(members, parts, strict=True):
        if member.epoch:
            continue
        start = time.perf_counter()
        if seen is None or not _same_body(seen[0], member):
            seen = member, embed(member.method, exams, wanted, member.fit)
        features = seen[1]
        learnt, judged = (np.searchsorted(wanted, i) for i in (part.training, part.validation))
        network, task = member.method.network, member.method.task
        asked = questions(task, target[part.training])
        if head == "forest":
            if network.forest is None:
                raise SettingError("a forest wants a network that was built with one")
            _plant(network.forest, features[learnt], asked, member)
        else:
            truth = target[part.validation]
            fitted = [_lines(task, head, s, features[learnt], asked) for s in STRENGTHS]
            costs = [_cost(task, line, features[judged], truth) for line in fitted]
            weight, bias = fitted[int(np.argmin(costs))]
            with torch.no_grad():
                network.linear.weight.copy_(torch.from_numpy(weight))
                network.linear.bias.copy_(torch.from_numpy(bias))
        member.average.load_state_dict(member.method.state_dict())
        member.epoch = member.fit.epochs
        told = figures(member.average, exams, part.validation, member)
        row = {"member": member.number, "epoch": member.epoch, "loss": told["val_loss"], **told}
        member.log.append(row | {"rate": 0.0, "seconds": time.perf_counter() - start})
        after_epoch(member)


def _same_body(one: Member, other: Member) -> bool:
    first, second = (m.method.network.body.state_dict().values() for m in (one, other))
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def questions(task: Task, target: NDArray[np.float32]) -> NDArray[np.int64]:
    """Give what each logit answers.

    Returns:
        Exclusive classes: (N, 1), the number of the class. Coexisting: (N, K), whether each is
        there. Ranked: (N, K - 1), whether the exam lies above each step.
    """
    if task.kind == "exclusive":
        return np.asarray(target.argmax(1)[:, None], np.int64)
    if task.kind == "coexisting":
        return np.asarray(target > 0.5, np.int64)
    return np.asarray(target.argmax(1)[:, None] > np.arange(target.shape[1] - 1), np.int64)


def _lines(
    task: Task, head: str, strength: float, x: Numbers, asked: NDArray[np.int64]
) -> tuple[Numbers, Numbers]:
    """Fit linear answers: weights (outputs, F) and biases (outputs,) for features as they are."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    mean, spread = x.mean(0), x.std(0) + 1e-6
    weights, biases = [], []
    for column in asked.T:
        kind: Any = LogisticRegression if head == "logistic" else LinearSVC
        seed = {} if head == "logistic" else {"random_state": 0}
        model = kind(C=strength, max_iter=1000, **seed)
        if len(np.unique(column)) < 2:  # a finding that all have, or none: the bias tells
            weights.append(np.zeros((1, x.shape[1])))
            biases.append(np.array([20.0 * column[0] - 10.0]))
            continue
        model.fit((x - mean) / spread, column)
        weights.append(model.coef_)
        biases.append(model.intercept_)
    weight, bias = np.concatenate(weights) / spread, np.concatenate(biases)
    bias = bias - weight @ mean
    if task.kind == "exclusive" and len(weight) == 1:  # two classes, one line between them
        return np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return weight, bias


def _cost(
    task: Task, line: tuple[Numbers, Numbers], x: Numbers, target: NDArray[np.float32]
) -> float:
    given = task.probabilities(x @ line[0].T + line[1])
    truth = target.astype(np.int64)
    labels = truth if task.kind == "coexisting" else truth.argmax(1)
    return float(log_losses(labels, given).mean())


def _plant(forest: Forest, x: Numbers, asked: NDArray[np.int64], member: Member) -> None:
    """Grow a forest, and say in every node the share of each class, or of each finding."""
    from sklearn.ensemble import RandomForestClassifier

    seed = member.fit.seed + member.number
    model = RandomForestClassifier(TREES, max_leaf_nodes=LEAVES, random_state=seed, n_jobs=-1)
    model.fit(x, asked[:, 0] if asked.shape[1] == 1 else asked)
    says = np.zeros((TREES, NODES, forest.says.shape[2]))
    for number, one in enumerate(model.estimators_):
        value = one.tree_.value  # (nodes, questions, answers)
        share = value / value.sum(-1, keepdims=True)
        if asked.shape[1] == 1 and forest.exclusive:
            says[number, : len(share), model.classes_.astype(int)] = share[:, 0].T
        else:
            yes = [_yes(model, share, column) for column in range(asked.shape[1])]
            says[number, : len(share)] = np.stack(yes, 1)
    forest.take(model, says)


def _yes(model: Any, share: Numbers, column: int) -> Numbers:
    """Give the share of yes to a question, in each node."""
    classes = model.classes_[column] if isinstance(model.classes_, list) else model.classes_
    known = list(classes)
    return share[:, column, known.index(1)] if 1 in known else np.zeros(len(share))
