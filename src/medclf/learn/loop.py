"""The training loop: look, judge, compare, step; and at each epoch's end validate and save.

Whole batches, channels last, bfloat16 where the processor has it. The rate rises and falls once.
The weights that are validated and kept are a running average of those of the steps.

Source: Smith, Topin. Super-Convergence. 2017 (one cycle); Izmailov et al. Averaging Weights Leads
to Wider Optima and Better Generalization. UAI 2018.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from medclf.errors import RunError
from medclf.learn.exams import Exams
from medclf.learn.member import Member
from medclf.learn.settings import Fit
from medclf.look.views import Views
from medclf.method.contract import Learner, Method, Taught

Indices = NDArray[np.int64]
MOST_AT_ONCE = 256  # exams that are judged at once, at most
SAMPLES_AT_ONCE = 1 << 20  # of what is seen of them: some hundred MB in the maps of a network


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """Training was asked to stop, in the middle of an epoch."""


def run_epoch(
    member: Member[Taught], exams: Exams, training: Indices, epochs: int, stop: Event | None = None
) -> float:
    """Pass once over the training exams.

    Args:
        epochs: All epochs of the cycle that this one belongs to.
        stop: Set from another thread, it ends the epoch at its next step.

    Returns:
        The mean loss of the epoch.

    Raises:
        Stopped: `stop` was set; the member's weights stand between two epochs.
    """
    generator = member.generator()
    order = draw_order(exams.target, training, member.fit, generator)
    method, optimizer, fit = member.method, member.optimizer, member.fit
    total, losses, learning = epochs * len(order), [], list[bool]()
    with _chance_within(method, generator.initial_seed(), exams.device):
        for batch in order:
            if stop is not None and stop.is_set():
                raise Stopped
            learning = member.begin_step(total, learning)
            for group in optimizer.param_groups:
                group["lr"] = rate_at(member.step, total, fit) * group["scale"]
            images, target = exams.batch(batch)
            views = method.look(images, generator)
            views, target = method.blend(views, target, generator)
            with precision(fit, exams.device):
                loss = method.loss(method(views), target)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            member.step += 1
            member.follow()
            losses.append(loss.detach())
    member.epoch += 1
    return float(torch.stack(losses).mean())


@contextmanager
def _chance_within(method: Learner, seed: int, device: torch.device) -> Iterator[None]:
    """Let what drops by chance within a network draw from this epoch's seed alone.

    Such layers know no other generator than that of the process, so their members learn one by one;
    others, which may learn side by side, must not touch it.
    """
    if not any("Drop" in type(part).__name__ for part in method.modules()):
        yield
        return
    places = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=places):
        torch.manual_seed(seed)
        yield


def deal_out(
    method: Learner, exams: Exams, indices: Indices, most: int = MOST_AT_ONCE
) -> list[Indices]:
    """Part exams so that what is seen of a part fits into memory, however many views that is.

    Args:
        method: In use.
        most: Exams of a part, at most.
    """
    if len(indices) < 2:
        return [indices]
    images = (exams.rows.images[indices] >= 0).sum(1)
    seen = method.look(exams.views(indices[:1]), Generator()).values
    samples = seen.numel() * int(images.max()) // int(images[0])
    batch = min(most, max(1, SAMPLES_AT_ONCE // samples))
    return np.array_split(indices, math.ceil(len(indices) / batch))


@torch.inference_mode()
def judge(
    method: Learner, exams: Exams, indices: Indices, fit: Fit, most: int = MOST_AT_ONCE
) -> tuple[Tensor, Tensor]:
    """Give each exam its probabilities, and their spread over the looks; or as `decide` has it.

    Args:
        most: Exams that are judged at once, at most.

    Shape:
        (N,) -> (N, K), (N, K)
    """
    mean, spread = _judge(method, exams, indices, fit, most, lambda views: (method(views),))
    return mean, spread


@torch.inference_mode()
def judge_views(
    method: Method, exams: Exams, indices: Indices, fit: Fit
) -> tuple[Tensor, Tensor, Tensor]:
    """Judge as `judge` does, and tell what each view does to the answer, as `Method.weigh` does.

    Shape:
        (N,) -> (N, K), (N, K), (N, V, K)
    """
    mean, spread, each = _judge(method, exams, indices, fit, MOST_AT_ONCE, method.weigh)
    return mean, spread, each


def _judge(
    method: Learner,
    exams: Exams,
    indices: Indices,
    fit: Fit,
    most: int,
    see: Callable[[Views], tuple[Tensor, ...]],
) -> list[Tensor]:
    """Decide on the logits that come first of what is seen; what comes after them is joined."""
    method.eval()
    found, generator = [], Generator().manual_seed(fit.seed)
    for part in deal_out(method, exams, indices, most):
        images = exams.views(part)
        with precision(fit, exams.device):
            logits, *more = see(method.look(images, generator))
        found.append((*method.decide(logits), *more))
    return [torch.cat(parts) for parts in zip(*found, strict=True)]


def draw_order(target: Tensor, training: Indices, fit: Fit, generator: Generator) -> list[Indices]:
    """Deal the training exams into the batches of an epoch.

    All batches are of one size: a rest smaller than half a batch waits for another epoch, for
    batch statistics of a few exams mislead. With balanced sampling each class is drawn alike, and
    so is having no finding at all, where findings coexist. Where the recipe bounds the steps of an
    epoch, the first so many batches are dealt.
    """
    if fit.balance == "sampling":
        shares = target[training]
        shares = torch.cat([shares, 1 - shares.amax(1, keepdim=True)], 1)
        weight = (shares / shares.sum(0).clamp_min(1)).sum(1)
        drawn = torch.multinomial(weight, len(training), replacement=True, generator=generator)
    else:
        drawn = torch.randperm(len(training), generator=generator)
    size = min(fit.batch, len(training))
    parts = torch.split(drawn, size)
    whole = [part for part in parts if len(part) * 2 > size]
    return [training[part.numpy()] for part in whole[: fit.steps or None]]


def rate_at(step: int, total: int, fit: Fit) -> float:
    """Give the learning rate of a step: up in a line, down along a cosine.

    Example:
        >>> rate_at(20, 100, Fit(rate=1.0, warmup=0.2))
        1.0
    """
    rise = max(1, round(fit.warmup * total))
    if step < rise:
        return fit.rate * (0.04 + 0.96 * step / rise)
    done = min(1.0, (step - rise) / max(1, total - rise))
    return fit.rate * (1e-3 + (1 - 1e-3) * (1 + math.cos(math.pi * done)) / 2)


def precision(fit: Fit, device: torch.device) -> AbstractContextManager[object]:
    """Compute in bfloat16 where the recipe asks for it, or where the processor is fast at it."""
    wanted = fit.precision == "bfloat16" or (fit.precision == "auto" and _has_bfloat16(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted)


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()


def train_member(
    member: Member[Taught],
    exams: Exams,
    training: Indices,
    validate: Callable[[Taught], dict[str, float]],
    after_epoch: Callable[[Member[Taught]], bool],
    stop: Event | None = None,
) -> None:
    """Train a member to the end of its epochs, from wherever it stands.

    Args:
        training: Numbers of the exams it learns from.
        validate: Gives `val_loss` and further figures of a method.
        after_epoch: Called when an epoch is complete; False stops the member here.

    Raises:
        RunError: training diverged.
    """
    epochs = member.fit.epochs
    while member.epoch < epochs and not member.fitted and not out_of_patience(member):
        start = time.perf_counter()
        loss = run_epoch(member, exams, training, epochs, stop)
        row = {"member": member.number, "epoch": member.epoch, "loss": loss}
        row |= validate(member.average)
        _expect_finite(row, member.fit)
        row["rate"] = member.optimizer.param_groups[-1]["lr"]
        row["seconds"] = time.perf_counter() - start
        member.log.append(row)
        if member.best is not None and _best_epoch(member) == len(member.log) - 1:
            member.best.load_state_dict(member.average.state_dict())
        if not after_epoch(member):
            return


def _expect_finite(row: dict[str, float], fit: Fit) -> None:
    """Refuse to go on, and to keep weights, where the loss is no number any more.

    Raises:
        RunError: training diverged.
    """
    found = [row[name] for name in ("loss", "val_loss") if name in row]
    if not all(map(math.isfinite, found)):
        raise RunError(
            f"member {row['member']}, epoch {row['epoch']}: a finite loss wanted, found "
            f"{' and '.join(f'{loss:g}' for loss in found)}: training diverged; "
            f"lower fit.rate, which is {fit.rate:g}"
        )


def out_of_patience(member: Member[Taught]) -> bool:
    """Tell whether validation has not improved for as many epochs as the recipe waits."""
    if not member.fit.patience or not member.log:
        return False
    return len(member.log) - 1 - _best_epoch(member) >= member.fit.patience


def _best_epoch(member: Member[Taught]) -> int:
    return int(np.argmin([row["val_loss"] for row in member.log]))
