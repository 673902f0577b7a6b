"""Borrowed weights: those of a 2D network trained on pictures, fitted to a network of ours.

The body must be the same but for its input: the first convolution may see other channels through a
smaller kernel, and all kernels may be inflated. The head is borrowed as far as it fits.

Source: none; what is done to each weight stands in `net.inflate`.
"""

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.head import Classifier
from medclf.net.inflate import inflate, resample, spread_channels
from medclf.net.source import Rules

COUNT = "num_batches_tracked"  # older files lack it


def rename(tensors: Mapping[str, Tensor], rules: Rules) -> dict[str, Tensor]:
    r"""Give weights the names that they have in a `Classifier`: every rule in turn, over each name.

    Example:
        >>> import torch
        >>> list(rename({"fc.bias": torch.zeros(2)}, ((r"^fc\.", "linear."),)))
        ['linear.bias']
    """
    found = {}
    for name, tensor in tensors.items():
        for pattern, ours in rules:
            name = re.sub(pattern, ours, name)
        found[name] = tensor
    return found


def borrow(
    network: Classifier | Body, tensors: Mapping[str, Tensor], origin: str
) -> tuple[str, ...]:
    """Put weights of a 2D network into one of ours, 2D or 3D.

    Args:
        network: As its family builds it, with the widths, norm and depth of those weights.
        tensors: By the names of a `Classifier`.
        origin: Where they come from, for messages.

    Returns:
        The weights that stay as they were: those of the head that do not fit.

    Raises:
        SettingError: they are weights of another network.
    """
    prefix = "body." if isinstance(network, Body) else ""
    own = {prefix + name: value for name, value in network.state_dict().items()}
    body = network if isinstance(network, Body) else network.body
    first = next((n for n, v in own.items() if n.startswith("body.") and v.ndim > 3), "")
    side = body.dense.side if body.dense else 1
    fitted, left = {}, []
    for name, value in own.items():
        there = tensors.get(name)
        there = None if there is None else _fit(there, value.shape, name == first, side)
        if there is not None and there.shape == value.shape:
            fitted[name.removeprefix(prefix)] = there
        elif name.startswith(("body.", "hidden.")) and not name.endswith(COUNT):
            found = "missing" if name not in tensors else f"of shape {tuple(tensors[name].shape)}"
            raise SettingError(_other(origin, name, f"{found}, wanted {tuple(value.shape)}"))
        elif not name.endswith(COUNT):
            left.append(name)
    for name in tensors:
        if name.startswith("body.") and name not in own:
            raise SettingError(_other(origin, name, "more than it has"))
    network.load_state_dict(network.state_dict() | fitted)
    return tuple(left)


def _other(origin: str, name: str, found: str) -> str:
    return (
        f"{origin}: weights of another network: {name} is {found}; "
        "width, depth and norm must be those that they were trained with"
    )


def _fit(weight: Tensor, shape: Sequence[int], first: bool, side: int) -> Tensor:
    """Fit a weight to its place, as far as that may be.

    Args:
        weight: Of the 2D network.
        shape: Of the place.
        first: Whether it is the first convolution.
        side: Cells along the edge of the grid that a dense head sees.
    """
    if first and weight.ndim == 4:
        weight = resample(spread_channels(weight, shape[1]), shape[-2:])
    if weight.ndim == 4 and len(shape) == 5:
        return inflate(weight, shape[2])
    if weight.ndim == 2 and side > 1 and shape[1] == weight.shape[1] * side:
        return inflate(weight.view(len(weight), -1, side, side), side).flatten(1)
    return weight
