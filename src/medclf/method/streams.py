"""Networks look at views: one at all of them, or each at its own."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.look.views import Views
from medclf.net.head import Classifier


def see(networks: nn.ModuleList, views: Views, ask: Callable[[Any, Tensor], Tensor]) -> Tensor:
    """Ask networks about views.

    Args:
        networks: One for all views, or one for each.
        views: (B, V, C, *space); views that are not there are not looked at.
        ask: Gives (B, n) of (B, C, *space), or (heads, B, n).

    Returns:
        (B, V, n), or (heads, B, V, n); NaN where a view is not there.

    Raises:
        SettingError: there are several networks, and another number of views.
    """
    if len(networks) == 1:
        return _see(networks[0], views.values, views.present, ask)
    if len(networks) != views.values.shape[1]:
        raise SettingError(f"{len(networks)} views wanted, found {views.values.shape[1]}")
    found = []
    for number, network in enumerate(networks):
        one = slice(number, number + 1)
        present = None if views.present is None else views.present[:, one]
        found.append(_see(network, views.values[:, one], present, ask))
    return torch.cat(found, dim=-2)


def embed(network: Classifier, values: Tensor) -> Tensor:
    """Ask a network for what its last layer judges: (B, C, *space) -> (B, F)."""
    return network.embed(values)


def _see(
    network: nn.Module,
    values: Tensor,
    present: Tensor | None,
    ask: Callable[[Any, Tensor], Tensor],
) -> Tensor:
    shape, flat = values.shape[:2], values.flatten(0, 1)
    if present is None or bool(present.all()):
        return _apart(ask(network, flat), shape)
    there = present.flatten()
    some = ask(network, flat[there])
    found = some.new_full((*some.shape[:-2], len(flat), some.shape[-1]), float("nan"))
    found[..., there, :] = some
    return _apart(found, shape)


def _apart(found: Tensor, shape: torch.Size) -> Tensor:
    """Part exams from views: (…, B * V, n) -> (…, B, V, n)."""
    return found.reshape(*found.shape[:-2], *shape, -1)
