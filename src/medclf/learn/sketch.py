"""A sketch of a method: how it looks at an exam and what of it learns, told by a small network."""

from dataclasses import dataclass, replace

import torch
from torch import Generator

from medclf.core.task import Task
from medclf.learn.committee import build_method
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Net
from medclf.learn.transfer import Transfer
from medclf.look.views import Views

SMALL = Net("sprint", {"width": 16})


@dataclass(frozen=True)
class Sketch:
    """What is known of a method before its network is built.

    Args:
        views: Of an exam with all of its images, in training.
        channels: Of each view.
        size: Its edges in samples, z first.
        beside: Names of what has weights of its own beside a network and its head.
    """

    views: int
    channels: int
    size: tuple[int, ...]
    beside: tuple[str, ...]


def make_sketch(recipe: Recipe, task: Task) -> Sketch:
    """Build the method of a recipe around a small network, and let it look at an empty exam.

    Raises:
        SettingError: the method does not serve such exams, or has no such option.
    """
    transfer = recipe.transfer if recipe.transfer.learn == "code" else Transfer()
    small = replace(recipe, net=SMALL, transfer=transfer)
    method = build_method(small, task, 0, torch.device("cpu"))
    images = torch.zeros(1, recipe.method.images, recipe.prepare.channels, *recipe.prepare.size)
    exam = Views(images, facts=torch.zeros(1, len(recipe.facts.columns)))
    method.train()
    seen = method.look(exam, Generator().manual_seed(0)).values
    return Sketch(seen.shape[1], seen.shape[2], tuple(seen.shape[3:]), method.beside)
