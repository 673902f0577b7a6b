"""Pretrained weights by the name of a body: fetched, checked, renamed, and put into a network.

Files of torch are read as plain tensors, never as code. Weights of ImageNet expect red, green and
blue taken off their mean and divided by their deviation; medclf standardises by the mean and
deviation of the cohort instead, which is as good once the network learns on.

Source: none; where the weights lie stands in `net.source`.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from medclf.errors import FetchError, SettingError
from medclf.net.body import Body
from medclf.net.borrow import borrow, rename
from medclf.net.family import timm
from medclf.net.head import Classifier
from medclf.net.source import SOURCES, Rules, Source
from medclf.net.table import find_entry, nearest
from medclf.read.fetch import Progress
from medclf.read.refuse import one_line

KINDS = ("imagenet",)


def load_pretrained(
    network: Classifier | Body,
    name: str,
    weights: str = "imagenet",
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Start a network from published weights.

    Args:
        network: As `build_body` or `build_classifier` gives it for this name, in 2D or 3D, for any
            channels and any size.
        name: Of the body.
        weights: What they were trained on.
        progress: Told how far the download is.

    Returns:
        The weights that stay as they were: those of the head, unless it has 1,000 outputs.

    Raises:
        SettingError: there are no such weights, or they do not fit the network.
        FetchError: they cannot be had, or are not what was published.
    """
    source = find_source(name, weights)
    path = source.fetch(progress)
    return borrow(network, published(name, source, read_weights(path)), f"{path}, for {name}")


def find_source(name: str, weights: str = "imagenet") -> Source:
    """Find the published weights of a body.

    Raises:
        SettingError: it has none, or none of this kind.
    """
    if weights not in KINDS:
        raise SettingError(f"pretrained weights are those of {', '.join(KINDS)}, not {weights!r}")
    if name in SOURCES:
        return SOURCES[name]
    entry = find_entry(name)
    if entry.file == "timm":
        return timm.find_published(str(entry.fixed["name"]))
    raise SettingError(f"no weights of {name} are published{nearest(name, SOURCES)}")


def published(name: str, source: Source, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the weights of a file the names of ours."""
    entry = find_entry(name)
    if entry.file == "timm":
        tensors = timm.take_published(str(entry.fixed["name"]), tensors)
    return rename(rename(tensors, source.older), rules_of(name, source))


def rules_of(name: str, source: Source) -> Rules:
    """Give the rules of the family for the names of a source."""
    family = importlib.import_module(f"medclf.net.family.{find_entry(name).file}")
    rules: Rules | Mapping[str, Rules] = getattr(family, source.names)
    return rules[name] if isinstance(rules, Mapping) else rules


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read named tensors: a file of torch, or safetensors.

    Raises:
        FetchError: the file holds anything else, or is damaged.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        held: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as bad:  # bytes that are none of its own let torch fail in any way
        raise FetchError(f"{path}: cannot read these weights: {one_line(bad)}") from bad
    if not isinstance(held, Mapping) or not all(isinstance(v, Tensor) for v in held.values()):
        raise FetchError(f"{path}: weights by name wanted, found something else")
    return dict(held)
