"""What a network costs: weights, multiply-adds, and how far one cell of its last map sees.

The network runs once on tensors that have a shape and no values, so even the largest is counted in
milliseconds and without memory. Hooks on the layers count products; every tensor carries the
receptive field of its cells, which windows widen and all other functions pass on, the widest of
their inputs where ways meet.

Source: Araujo, Norris, Sim. Computing Receptive Fields of Convolutional Neural Networks.
Distill 2019, equations 1 and 2.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

from medclf.net.nd import spread

BATCH = 2  # BatchNorm refuses to train on a single cell.


@dataclass(frozen=True)
class Field:
    """How far a cell sees, and how far apart neighbours look, in samples of the input, by axis."""

    edge: tuple[int, ...]
    step: tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """What one input costs.

    Args:
        weights: All parameters, frozen ones too.
        multiply_adds: Products of convolutions and linear layers for one input; a backward pass
            costs about twice as many again.
        field: Edge of the receptive field of one cell of the last map, by axis, in samples. Where
            a layer pools the whole map, as a head or a gate does, it is not counted.
        step: Distance of neighbouring cells of the last map, by axis, in samples.
        shape: Of the output for one input, without the batch.
    """

    weights: int
    multiply_adds: int
    field: tuple[int, ...]
    step: tuple[int, ...]
    shape: tuple[int, ...]


def measure_cost(network: nn.Module, channels: int, size: Sequence[int]) -> Cost:
    """Count what a network costs for one input; the network stays as it is.

    Args:
        network: A body, or a body with its head.
        channels: Channels of the input.
        size: Edges of the input in samples, z first.

    Example:
        >>> from medclf.net.lenet import LeNet
        >>> cost = measure_cost(LeNet(2, 1), channels=1, size=(32, 32))
        >>> cost.weights, cost.field, cost.shape
        (60000, (32, 32), (84, 1, 1))
    """
    state = dict(_without_values(network))
    trace = _Trace(len(size))
    hooks = [m.register_forward_hook(trace.after) for m in network.modules()]
    kind = next((p.dtype for p in network.parameters()), torch.float32)
    image = torch.empty(BATCH, channels, *size, dtype=kind, device="meta")
    trace.set(image, Field((1,) * len(size), (1,) * len(size)))
    try:
        with torch.no_grad(), trace:
            out = functional_call(network, state, (image,))
    finally:
        for hook in hooks:
            hook.remove()
    field = trace.get(out)
    weights = sum(p.numel() for p in network.parameters())
    return Cost(weights, trace.products // BATCH, field.edge, field.step, tuple(out.shape[1:]))


def _without_values(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for tensors in (network.named_parameters(), network.named_buffers()):
        for name, tensor in tensors:
            yield name, torch.empty_like(tensor, device="meta")


class _Trace(TorchFunctionMode):
    """Follows the tensors of one forward pass."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.dims = dims
        self.products = 0
        self.fields: dict[int, tuple[Tensor, Field]] = {}

    def set(self, tensor: Tensor, field: Field) -> None:
        """Note the field of a tensor, and keep the tensor so that its id stays its own."""
        self.fields[id(tensor)] = (tensor, field)

    def get(self, *values: Any) -> Field:
        """Give the widest field among the tensors of a call."""
        found = [self.fields[id(v)][1] for v in values if id(v) in self.fields]
        edges, steps = [f.edge for f in found], [f.step for f in found]
        return Field(_widest(edges, self.dims), _widest(steps, self.dims))

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        inputs = list(_tensors([*args, *(kwargs or {}).values()]))
        if any(id(tensor) in self.fields for tensor in inputs):
            field = self.get(*inputs)
            for tensor in _tensors([out]):
                self.set(tensor, field)
        return out

    def after(self, module: nn.Module, inputs: tuple[Any, ...], out: Tensor) -> None:
        """Count a layer that has just run, and widen the field if it is a window."""
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and weight.ndim > 1:
            maps = out.shape[-1 if isinstance(module, nn.Linear) else 1]
            self.products += weight.numel() * (out.numel() // maps)
        if hasattr(module, "kernel_size"):
            self.set(out, _widen(self.get(*inputs), module, self.dims))


def _widen(field: Field, module: Any, dims: int) -> Field:
    kernel, stride = spread(module.kernel_size, dims), spread(module.stride, dims)
    dilation = spread(getattr(module, "dilation", 1), dims)
    reach = zip(field.edge, field.step, kernel, dilation, strict=True)
    edge = tuple(edge + (k - 1) * d * step for edge, step, k, d in reach)
    return Field(edge, tuple(prod(pair) for pair in zip(field.step, stride, strict=True)))


def _widest(rows: Sequence[tuple[int, ...]], dims: int) -> tuple[int, ...]:
    return tuple(max((row[axis] for row in rows), default=1) for axis in range(dims))


def _tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
