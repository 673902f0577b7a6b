"""A method over V views of a small volume against V plain images of the same size.

    OMP_NUM_THREADS=1 nice -19 python bench/cost_of_views.py [--networks sprint,resnet18]

Both train and judge as `medclf train` does, on noise, and alternate in one process. The plain way
is the method whole_image on as many pictures as the other looks at, each as large as a view and
with as many channels: what the method takes more is for seeing views and for joining them. `speed`
is the plain way's time by the method's: above 1, the method is faster than its views by themselves.
Times are the processor's, medians (least to largest) over the rounds. Prints rows of Markdown.
"""

import argparse
from collections.abc import Mapping
from functools import partial

import numpy as np
import torch

from medclf.learn.loop import judge, run_epoch
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Fit, Method, Net
from medclf.method.table import Option
from medclf.prepare.exam import Prepare
from steps import STILL, begin
from views import alternate, told

METHODS: tuple[tuple[str, Mapping[str, Option]], ...] = (
    ("three_planes", {}),
    ("three_planes", {"joined": "shared"}),
    ("multi_view", {}),
    ("multi_view", {"fusion": "committee"}),
    ("random_views", {"looks": 4}),
    ("filters_then_sequence", {}),
    ("near_and_far", {}),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", default="sprint,resnet18")
    parser.add_argument("--edge", type=int, default=32, help="of the volumes")
    parser.add_argument("--batch", type=int, default=16, help="volumes")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print("| method | network | views, in use | speed in training | speed in use |")
    print("|---|---|---|---|---|")
    for network in args.networks.split(","):
        for name, options in METHODS:
            recipe = Recipe(
                Prepare(size=(args.edge,) * 3, channels=1),
                STILL,
                Net(network),
                Fit(batch=args.batch, epochs=1),
                method=Method(name, options),
            )
            report(recipe, args.rounds)


def report(recipe: Recipe, rounds: int) -> None:
    """Print the row of a method with a network."""
    speeds, counts = [], []
    for training in (True, False):
        plain = as_pictures(recipe, training)
        counts.append(plain.fit.batch // recipe.fit.batch)
        times = alternate([work(each, training) for each in (recipe, plain)], rounds)
        speeds.append(told(times[:, 1] / times[:, 0], ".2f"))
    chosen = ", ".join(f"{key} {value}" for key, value in recipe.method.options.items())
    name = f"{recipe.method.name}{f', {chosen}' if chosen else ''}"
    views = " and ".join(map(str, dict.fromkeys(counts)))
    print(f"| {name} | {recipe.net.name} | {views} | {' | '.join(speeds)} |", flush=True)


def as_pictures(recipe: Recipe, training: bool) -> Recipe:
    """Make the recipe of whole images, a picture for each view that the method looks at."""
    member, exams = begin(recipe)
    member.method.train(training)
    seen = member.method.look(exams.views(np.arange(1)), torch.Generator().manual_seed(0)).values
    _, views, channels, *size = seen.shape
    prepare = Prepare(size=tuple(size), channels=channels)
    fit = Fit(batch=recipe.fit.batch * views, epochs=1)
    return Recipe(prepare, STILL, recipe.net, fit)


def work(recipe: Recipe, training: bool) -> "partial[object]":
    """Make what is timed: a step of training, or a batch that is judged."""
    member, exams = begin(recipe)
    batch = np.arange(recipe.fit.batch)
    if training:
        return partial(run_epoch, member, exams, batch, 1000)
    return partial(judge, member.average, exams, batch, recipe.fit)


if __name__ == "__main__":
    main()
