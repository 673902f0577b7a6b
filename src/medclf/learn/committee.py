"""A committee in training: its members learn side by side, one processor core each.

Small networks leave half of two cores idle when one network uses both; two networks with a core
each do not. Each member validates on exams that it never learnt from: the validation split, or
the part of a cross-validation that is left out.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

import torch
from torch import Tensor

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.learn.exams import Exams
from medclf.learn.loop import Indices, Stopped, train_member
from medclf.learn.member import Member, MethodMember, seeded
from medclf.learn.recipe import Recipe
from medclf.look.views import Views
from medclf.method.asked import Asked
from medclf.method.contract import Method, Taught
from medclf.method.lesson import Lesson
from medclf.method.table import make_method
from medclf.net.forest import TREES, Forest
from medclf.net.head import Classifier
from medclf.net.nd import layers
from medclf.net.table import build_classifier, find_entry
from medclf.net.weights import load_pretrained

Made = TypeVar("Made")
WEIGHTS = 1 << 30  # keeps the chance of first weights apart from that of any epoch
FUSING = 1 << 20  # keeps what joins views apart from the network of any of them


@dataclass(frozen=True)
class Part:
    """Which exams a member learns from, and which it validates on."""

    training: Indices
    validation: Indices


def at_once(recipe: Recipe, device: torch.device) -> int:
    """Say how many members train at once.

    Dropout and stochastic depth draw from one generator for the whole process: such members train
    one by one, so that a seed keeps its meaning.
    """
    net, entry = recipe.net, find_entry(recipe.net.name)
    options = {**entry.options, **net.options}
    inner = entry.drops or any(share for name, share in options.items() if "drop" in name)
    chance = net.dropout or net.pool == "dense" or inner
    if device.type != "cpu" or chance:
        return 1
    return max(1, min(torch.get_num_threads(), recipe.fit.members))


def build_method(
    recipe: Recipe,
    task: Task,
    number: int,
    device: torch.device,
    weights: tuple[float, ...] = (),
    in_use: bool = False,
    resumed: bool = False,
    examples: Callable[[], Views] | None = None,
) -> Method:
    """Build one member with its first weights, on its device, channels last.

    Args:
        number: Which member it is; part of its seed.
        weights: Weight of each class in the loss, as `class_weights` gives them.
        in_use: Average shifted copies, as in prediction, rather than judge the exam alone.
        resumed: Its weights will come from a file of the run: none are borrowed.
        examples: Gives some training exams; first weights are learnt from them where the method
            does so.

    Raises:
        SettingError: there is no such network, or none for images of this size; the method and
            what learns do not go together, or a head is to be fitted to what must learn first.
        FetchError: its pretrained weights cannot be had.
    """
    fit, net = recipe.fit, recipe.net
    if (recipe.transfer.learn == "code") != (recipe.method.name == "code_then_tree"):
        raise SettingError(
            'transfer.learn = "code" and the method code_then_tree go together, found '
            f'"{recipe.transfer.learn}" and {recipe.method.name}'
        )

    def network(channels: int, size: tuple[int, ...], stream: int) -> Classifier:
        chance = seeded(fit.seed, number, WEIGHTS, *[stream] * (stream > 0))
        pool, dropout = net.pool, net.dropout
        made = build_classifier(
            net.name, task.outputs, channels, size, chance, dropout, pool, **net.options
        )
        made.body.saves_memory = fit.save_memory
        if trees := {"forest": TREES, "tree": 1}.get(recipe.transfer.head):
            made.forest = Forest(task.outputs, task.kind == "exclusive", trees)
        if net.pretrained and not (in_use or resumed):
            load_pretrained(made, net.name, net.pretrained)
        return made.to(device).to(memory_format=layers(len(size)).memory_format)

    asked = Asked(
        Lesson(task, fit.smoothing, weights),
        recipe.prepare.channels,
        recipe.prepare.size,
        recipe.facts.columns,
        recipe.augment,
        (fit.shift or None) if in_use else None,
        network,
        seeded(fit.seed, number, WEIGHTS, FUSING),
        None if resumed else examples,
        recipe.prepare.spacing_mm,
    )
    method = make_method(recipe.method.name, asked, recipe.method.options)
    _expect_taught(method, recipe)
    method.to(device)
    return method


def begin_member(
    recipe: Recipe, task: Task, exams: Exams, part: Part, number: int, resumed: bool = False
) -> MethodMember:
    """Build a member that is about to learn; trials begin theirs as trainings do.

    Args:
        number: Which member it is; part of its seed.
        resumed: Its weights will come from a file of the run.
    """
    fit = recipe.fit
    weights = class_weights(exams.target[part.training], task) if fit.balance == "loss" else ()
    method = build_method(
        *(recipe, task, number, exams.device, weights),
        resumed=resumed,
        examples=lambda: exams.some(part.training),
    )
    return Member(method, fit, number, recipe.transfer)


def _expect_taught(method: Method, recipe: Recipe) -> None:
    """Refuse to fit a head to features that come of parts which never learn."""
    transfer, name = recipe.transfer, recipe.method.name
    if transfer.fitted and transfer.learn == "head" and method.beside:
        raise SettingError(
            f'transfer.head = "{transfer.head}" fits the head and nothing else: {name} learns more '
            f'({", ".join(method.beside)}), which wants transfer.head = "linear"'
        )


def class_weights(target: Tensor, task: Task, most: float = 10.0) -> tuple[float, ...]:
    """Weigh classes so that rare ones count alike; their mean over the exams is 1.

    Args:
        target: Share of each class, (N, K).
        most: Largest weight of a finding against its absence, where findings coexist.
    """
    counts = target.sum(0).clamp_min(1)
    if task.kind == "coexisting":
        return tuple(((len(target) - counts) / counts).clamp(1, most).tolist())
    return tuple((len(target) / (len(counts) * counts)).tolist())


def train_committee(
    members: Sequence[Member[Taught]],
    exams: Exams,
    parts: Sequence[Part],
    side: int,
    measure: Callable[[Taught, Exams, Indices, Member[Taught]], dict[str, float]],
    after_epoch: Callable[[Member[Taught]], bool],
    in_time: Callable[[], bool] = lambda: True,
) -> None:
    """Train all members.

    Args:
        parts: One for each member.
        side: How many train at once.
        measure: Gives `val_loss` and further figures of a member's averaged weights on the exams
            that it never learns from.
        after_epoch: Called in the member's thread after each of its epochs; False ends it.
        in_time: Whether a further member may begin, beside those that begin at once.

    Raises:
        KeyboardInterrupt: the person interrupted; every member stands where its last call of
            `after_epoch` left it.
    """
    stop = Event()

    def learn(place: int) -> None:
        member, part = members[place], parts[place]
        if place >= side and not member.epoch and not in_time():
            return

        def validate(method: Taught) -> dict[str, float]:
            return measure(method, exams, part.validation, member)

        with suppress(Stopped):
            train_member(member, exams, part.training, validate, after_epoch, stop)

    side_by_side(learn, len(members), side, stop)


def side_by_side(
    work: Callable[[int], Made], count: int, side: int, stop: Event | None = None
) -> list[Made]:
    """Do the work for 0 … count - 1, several at once, each with its share of the cores.

    Args:
        stop: Set when one of them fails or the person interrupts, so that the others can end.
    """
    share = max(1, torch.get_num_threads() // side)

    def alone(number: int) -> Made:
        with threads(share):
            return work(number)

    with ThreadPoolExecutor(side) as pool:
        futures = [pool.submit(alone, number) for number in range(count)]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            return [future.result() for future in futures if not future.cancelled()]
        except BaseException:
            if stop is not None:
                stop.set()
            for future in futures:
                future.cancel()
            raise


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch compute with so many cores within this thread of Python."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
