"""The bodies by name: what `medclf nets` lists and what a recipe may ask for.

Each entry names the class, its literature, and a function `(dims, channels, size, **options)`
that builds it for an input. To add a body, write its file and its line here.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial

import torch
from torch import Generator, nn

from medclf.errors import SettingError
from medclf.net.head import Classifier
from medclf.net.lenet import LeNet, lenet5
from medclf.net.nd import initialise, layers
from medclf.net.resnet import ResNet, resnet
from medclf.net.sprint import Sprint, sprint

Option = int | float | str | bool | None
INPUT = ("dims", "channels", "size")


@dataclass(frozen=True)
class Entry:
    """One body.

    Args:
        body: The class.
        build: Makes it for (dims, channels, size, **options).
        family: The architecture that it is a member of.
        year: Of the paper.
        paper: Authors, title, venue.
    """

    body: type[nn.Module]
    build: Callable[..., nn.Module]
    family: str
    year: int
    paper: str

    @property
    def options(self) -> dict[str, Option]:
        """The options that a recipe may set, with what they are if it does not."""
        fixed = self.build.keywords if isinstance(self.build, partial) else {}
        return {
            name: option.default
            for name, option in inspect.signature(self.build).parameters.items()
            if name not in INPUT and name not in fixed
        }


LENET = "LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition"
RESNET = "He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition. CVPR 2016"

BODIES: dict[str, Entry] = {
    "lenet5": Entry(LeNet, lenet5, "LeNet", 1998, f"{LENET}. Proceedings of the IEEE 1998"),
    "resnet18": Entry(ResNet, partial(resnet, depth=18), "ResNet", 2016, RESNET),
    "resnet34": Entry(ResNet, partial(resnet, depth=34), "ResNet", 2016, RESNET),
    "resnet50": Entry(ResNet, partial(resnet, depth=50), "ResNet", 2016, RESNET),
    "resnet101": Entry(ResNet, partial(resnet, depth=101), "ResNet", 2016, RESNET),
    "resnet152": Entry(ResNet, partial(resnet, depth=152), "ResNet", 2016, RESNET),
    "sprint": Entry(Sprint, sprint, "Sprint", 2026, "none: made here for the speed of a CPU"),
}


def build_body(
    name: str, dims: int, channels: int, size: Sequence[int], **options: Option
) -> nn.Module:
    """Build a body for an input; its weights wait for `initialise` or for a file.

    Args:
        name: A key of `BODIES`.
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        size: Edges of the input in samples, z first, one per axis.
        options: Those of the entry.

    Raises:
        SettingError: the name, an option or its value is unknown, or the input is impossible.

    Example:
        >>> build_body("sprint", 2, 1, (28, 28), width=16).features
        64
    """
    entry = BODIES.get(name)
    if entry is None:
        raise SettingError(f"no body is called {name!r}{_nearest(name, BODIES)}")
    layers(dims)
    if len(size) != dims or min(size) < 1 or channels < 1:
        found = f"{channels} channels of size {tuple(size)}"
        raise SettingError(f"a {dims}D body wants channels and {dims} edges from 1 up, not {found}")
    for option in options:
        if option not in entry.options:
            near = _nearest(option, entry.options)
            raise SettingError(f"the body {name} has no option {option!r}{near}")
    # torch draws weights as it makes a layer: that must not move the caller's random numbers.
    with torch.random.fork_rng(devices=[]):
        return entry.build(dims, channels, tuple(size), **options)


def build_classifier(
    name: str,
    outputs: int,
    channels: int,
    size: Sequence[int],
    generator: Generator,
    dropout: float = 0.0,
    pool: str = "mean",
    **options: Option,
) -> Classifier:
    """Build and initialise a body with its head, 2D or 3D as `size` has edges.

    Args:
        name: A key of `BODIES`.
        outputs: Logits, as `Task.outputs` says.
        channels: Channels of the input.
        size: Edges of the input in samples, z first.
        generator: Draws the weights.
        dropout: Share of the pooled features dropped in training.
        pool: "mean" or "mean+max", how the head pools over space.
        options: Those of the entry.

    Raises:
        SettingError: as `build_body` and `Classifier`.
    """
    body = build_body(name, len(size), channels, size, **options)
    with torch.random.fork_rng(devices=[]):
        network = Classifier(body, outputs, dropout, pool)
    initialise(network, generator)
    return network


def _nearest(name: str, known: dict[str, Entry] | dict[str, Option]) -> str:
    """Say which known name comes nearest, or all of them where none is near."""
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known) or 'none'}"
