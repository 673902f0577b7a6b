"""The ways to find landmarks, by name: networks that regress places rather than classify.

Each line names a file of this room, which has a function `build(sought, **settings)`. What it gives
is a learner as `method/contract.py` has it: `blend` moves images and places together, `loss`
compares with places in samples (B, L, axes), NaN where a landmark is missing, and `decide` gives
places (B, L, axes) and from 0 to 1 how sure they are (B, L).
"""

import importlib
import inspect
from typing import Any

import torch
from torch import Generator

from medclf.errors import SettingError
from medclf.locate.sought import Sought
from medclf.method.contract import Learner
from medclf.net.nd import layers
from medclf.net.start import initialise
from medclf.net.table import nearest

WAYS = ("heat_map", "votes")


def build_way(sought: Sought, generator: Generator) -> Learner:
    """Build a network that finds landmarks, with its first weights, channels last.

    Raises:
        SettingError: the way, its body, an option or a setting is unknown, or does not fit the
            size.
    """
    if sought.way not in WAYS:
        near = nearest(sought.way, dict.fromkeys(WAYS))
        raise SettingError(f"no way to find places is called {sought.way!r}{near}")
    build = importlib.import_module(f"medclf.locate.{sought.way}").build
    known = {name: 0 for name in inspect.signature(build).parameters if name != "sought"}
    for name in sought.settings:
        if name not in known:
            near = nearest(name, known)
            raise SettingError(f"the way {sought.way} has no setting {name!r}{near}")
    # torch draws weights as it makes a layer: that must not move the caller's random numbers.
    with torch.random.fork_rng(devices=[]):
        made: Any = build(sought, **sought.settings)
    initialise(made, generator)
    learner: Learner = made.to(memory_format=layers(len(sought.size)).memory_format)
    return learner
