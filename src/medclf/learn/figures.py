"""What is measured of a member after each epoch, on the exams that it never learns from."""

import numpy as np
import torch
from torch import Generator

from medclf.evaluate.ranking import macro_auc
from medclf.evaluate.score import log_losses
from medclf.learn.exams import Exams
from medclf.learn.loop import Indices, deal_out, judge, precision
from medclf.learn.member import MethodMember
from medclf.learn.settings import Fit
from medclf.method.code_then_tree import CodeThenTree
from medclf.method.contract import Method


def figures(
    method: Method, exams: Exams, indices: Indices, member: MethodMember
) -> dict[str, float]:
    """Measure a method on validation exams, without shifted copies.

    Returns:
        `val_loss` and `val_auc`; of a method that still learns a code, `val_loss` alone, the error
        of the images that it rebuilds; nothing where there are no exams.
    """
    if not len(indices):
        return {}
    if isinstance(method, CodeThenTree) and not member.fitted:
        return {"val_loss": _error(method, exams, indices, member.fit)}
    shares, _ = judge(method, exams, indices, member.fit)
    target = exams.target[indices].numpy().astype(np.int64)
    labels = target if method.task.kind == "coexisting" else target.argmax(1)
    given = shares.numpy().astype(np.float64)
    loss = float(log_losses(labels, given).mean())
    return {"val_loss": loss, "val_auc": float(macro_auc(labels, given))}


@torch.inference_mode()
def _error(method: CodeThenTree, exams: Exams, indices: Indices, fit: Fit) -> float:
    method.eval()
    found, generator = [], Generator().manual_seed(fit.seed)
    for part in deal_out(method, exams, indices):
        with precision(fit, exams.device):
            errors = method.errors(method.look(exams.views(part), generator))
        found.append(errors.nanmean(1))
    return float(torch.cat(found).mean())
