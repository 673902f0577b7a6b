"""A data sheet: what a body of the table costs for an input, stage by stage and block by block.

The body is built without values, so that the largest takes a fraction of a second.

Source: none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from medclf.net.branch import Branches
from medclf.net.cost import Cost, measure_parts
from medclf.net.options import Option
from medclf.net.table import build_body


@dataclass(frozen=True)
class Block:
    """A part of a stage.

    Args:
        cost: Its own, but for the field, which is counted from the image on.
        added: Whether it is added to what came in, as a block with a shortcut is.
    """

    cost: Cost
    added: bool


@dataclass(frozen=True)
class Stage:
    """A named part of a body.

    Args:
        name: As the paper has it, or nearly.
        cost: As that of a block.
        blocks: What it is made of; one at least.
        beside: Whether the blocks lie side by side, as the ways of an Inception do, and not in a
            row.
    """

    name: str
    cost: Cost
    blocks: tuple[Block, ...]
    beside: bool


@dataclass(frozen=True)
class Sheet:
    """What is known of a body for one input.

    Args:
        features: Channels of its last map, which a head judges.
        cost: Of the whole, without a head.
        stages: From the image on.
    """

    features: int
    cost: Cost
    stages: tuple[Stage, ...]


def fill_sheet(name: str, channels: int, size: Sequence[int], **options: Option) -> Sheet:
    """Count what a body costs for an input.

    Args:
        name: A key of `BODIES`.
        channels: Channels of the input.
        size: Edges of the input in samples, z first; as many as the body has axes.
        options: Those of the entry.

    Raises:
        SettingError: as `build_body`.

    Example:
        >>> sheet = fill_sheet("resnet18", 3, (224, 224))
        >>> [(stage.name, len(stage.blocks)) for stage in sheet.stages][:3]
        [('stem', 1), ('pool', 1), ('stage1', 2)]
        >>> sheet.cost.weights, sheet.stages[-1].cost.shape
        (11176512, (512, 7, 7))
    """
    with torch.device("meta"):
        body = build_body(name, len(size), channels, size, **options).eval()
    inner = {stage: _blocks(stage, body.get_submodule(stage)) for stage in body.names}
    parts = ["", *body.names, *(block for blocks in inner.values() for block in blocks)]
    costs = measure_parts(body, parts, channels, size)
    stages = []
    for stage, blocks in inner.items():
        made = [Block(costs[one], _adds(body.get_submodule(one))) for one in blocks]
        beside = isinstance(body.get_submodule(stage), Branches)
        stages.append(Stage(stage, costs[stage], tuple(made), beside))
    return Sheet(body.features, costs[""], tuple(stages))


def _blocks(name: str, stage: nn.Module) -> list[str]:
    """Name the blocks of a stage: its ways, its parts with weights, or itself."""
    if isinstance(stage, Branches):
        return [f"{name}.{child}" for child, _ in stage.named_children()]
    if not isinstance(stage, nn.Sequential):
        return [name]
    children = stage.named_children()
    return [f"{name}.{child}" for child, part in children if _weighs(part)] or [name]


def _weighs(part: nn.Module) -> bool:
    return any(weight.ndim > 1 for weight in part.parameters())


def _adds(block: nn.Module) -> bool:
    return getattr(block, "skip", None) is not None
