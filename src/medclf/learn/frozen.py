"""Frozen features: what a body sees is worked out once, and scikit-learn fits the head to it.

Linear heads are scaled back to the features as they are and become the last layer's weights; trees
become arrays. So a run with such a head is kept and used like any other. How strongly a linear head
is held back, and how deep a single tree grows, is chosen on validation.

Source: Razavian et al. CNN Features Off-the-Shelf: an Astounding Baseline for Recognition. CVPR
Workshops 2014.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.evaluate.score import log_losses
from medclf.learn.committee import Part
from medclf.learn.exams import Exams
from medclf.learn.figures import figures
from medclf.learn.loop import Indices, deal_out, precision
from medclf.learn.member import MethodMember
from medclf.learn.plant import plant_forest, plant_tree
from medclf.learn.settings import Fit
from medclf.method.contract import Method

Numbers = NDArray[np.float64]
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
UNSEEN = -10.0  # logit of a class of which no exam was learnt from
HEADS = re.compile(r"networks\.\d+\.(linear|forest|auxiliary)\.")
"""What of a method judges features, and gives none."""


@dataclass(frozen=True)
class Known:
    """Exams as a head is fitted to them.

    Args:
        x: Their features, (N, F).
        target: Share of each class, (N, K).
    """

    x: Numbers
    target: NDArray[np.float32]


@torch.inference_mode()
def embed(method: Method, exams: Exams, indices: Indices, fit: Fit) -> Numbers:
    """Give what the head of a method judges, of exams: (N,) -> (N, F)."""
    method.eval()
    found, generator = [], Generator().manual_seed(fit.seed)
    for part in deal_out(method, exams, indices):
        with precision(fit, exams.device):
            views = method.look(exams.views(part), generator)
            found.append(method.embed(views).float().cpu())
    return torch.cat(found).numpy().astype(np.float64)


def fit_heads(
    members: Sequence[MethodMember],
    exams: Exams,
    parts: Sequence[Part],
    head: str,
    after_epoch: Callable[[MethodMember], bool],
) -> None:
    """Fit the head of every member to its features, which they mostly have in common.

    Args:
        members: With bodies that no label teaches: kept as they are, or taught a code before.
        parts: What each learns from, and validates on.
        head: "logistic", "svm", "forest" or "tree".
        after_epoch: Called when a member is fitted.
    """
    wanted = np.unique(np.concatenate([np.union1d(p.training, p.validation) for p in parts]))
    seen: tuple[MethodMember, Numbers] | None = None
    target = exams.target.numpy()
    for member, part in zip(members, parts, strict=True):
        if member.fitted:
            continue
        start = time.perf_counter()
        member.method.load_state_dict(member.kept.state_dict())
        if seen is None or not _see_alike(seen[0].method, member.method):
            seen = member, embed(member.method, exams, wanted, member.fit)
        features = seen[1]
        learnt, judged = (np.searchsorted(wanted, i) for i in (part.training, part.validation))
        known = Known(features[learnt], target[part.training])
        _fit_head(member, head, known, Known(features[judged], target[part.validation]))
        member.kept.load_state_dict(member.method.state_dict())
        member.epoch, member.fitted = member.epoch or member.fit.epochs, True
        told = figures(member.kept, exams, part.validation, member)
        row = {"member": member.number, "epoch": member.epoch, "loss": told["val_loss"], **told}
        member.log.append(row | {"rate": 0.0, "seconds": time.perf_counter() - start})
        after_epoch(member)


def _fit_head(member: MethodMember, head: str, learnt: Known, judged: Known) -> None:
    """Fit the head of a member, and choose on validation what is to be chosen."""
    network, task = member.method.network, member.method.task
    asked = questions(task, learnt.target)
    if head in ("forest", "tree"):
        if network.forest is None:
            raise SettingError(f"a {head} wants a network that was built with one")
        forest, seed = network.forest, member.fit.seed + member.number
        if head == "forest":
            return plant_forest(forest, learnt.x, asked, seed)
        shown = torch.from_numpy(judged.x).float().to(forest.says.device)

        def cost() -> float:
            return _cost(task, forest(shown).cpu().numpy(), judged.target)

        return plant_tree(forest, learnt.x, asked, seed, cost)
    fitted = [_lines(task, head, strength, learnt.x, asked) for strength in STRENGTHS]
    costs = [_cost(task, judged.x @ w.T + b, judged.target) for w, b in fitted]
    weight, bias = fitted[int(np.argmin(costs))]
    with torch.no_grad():
        network.linear.weight.copy_(torch.from_numpy(weight))
        network.linear.bias.copy_(torch.from_numpy(bias))
    return None


def _see_alike(one: Method, other: Method) -> bool:
    """Tell whether all but the heads of two methods is the same, and so what the heads judge."""
    first, second = (m.state_dict() for m in (one, other))
    names = [name for name in first if not HEADS.match(name)]
    return all(torch.equal(first[name], second[name]) for name in names)


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

    if task.kind == "exclusive" and len(seen := np.unique(asked)) < len(task.classes):
        return _with_unseen(task, head, strength, x, asked, seen)
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


def _with_unseen(
    task: Task, head: str, strength: float, x: Numbers, asked: NDArray[np.int64], seen: Indices
) -> tuple[Numbers, Numbers]:
    """Fit lines where exams of some exclusive classes are lacking: those are hardly ever said."""
    weight = np.zeros((len(task.classes), x.shape[1]))
    bias = np.full(len(task.classes), UNSEEN)
    bias[seen] = 0.0
    if len(seen) > 1:
        there = Task(tuple(task.classes[k] for k in seen))
        found = _lines(there, head, strength, x, np.searchsorted(seen, asked))
        weight[seen], bias[seen] = found
    return weight, bias


def _cost(task: Task, logits: Numbers, target: NDArray[np.float32]) -> float:
    given = task.probabilities(logits)
    truth = target.astype(np.int64)
    labels = truth if task.kind == "coexisting" else truth.argmax(1)
    return float(log_losses(labels, given).mean())
