"""What a network, or a part of it, costs: weights, multiply-adds, and how far a cell sees.

The network runs once on tensors that have a shape and no values, so even the largest is counted in
a tenth of a second and without memory. Hooks on the layers count products; every tensor carries the
receptive field of its cells, which windows widen and all other functions pass on, the widest of
their inputs where ways meet.

Source: Araujo, Norris, Sim. Computing Receptive Fields of Convolutional Neural Networks.
Distill 2019, equations 1 and 2.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

from medclf.net.nd import spread

BATCH = 2  # BatchNorm refuses to train on a single cell.

# What keeps the shape of its first input. PyTorch takes a millisecond to find that out, each time.
SAME = {"batch_norm", "group_norm", "relu", "hardtanh", "leaky_relu", "gelu", "silu", "dropout"}


Edges = tuple[int, ...]
Found = tuple[int, Edges, Edges, Edges]


@dataclass(frozen=True)
class Field:
    """How far a cell sees, and how far apart neighbours look, in samples of the input, by axis."""

    edge: Edges
    step: Edges


@dataclass(frozen=True)
class Cost:
    """What one input costs in a network, or in a part of it.

    Args:
        weights: All parameters, frozen ones too.
        multiply_adds: Products of convolutions and linear layers for one input; a backward pass
            costs about twice as many again.
        field: Edge of the receptive field of one cell of the last map, by axis, in samples of the
            network's input. Where a layer pools the whole map, as a head or a gate does, it is not
            counted.
        step: Distance of neighbouring cells of the last map, by axis, in samples.
        shape: Of the output for one input, without the batch.
    """

    weights: int
    multiply_adds: int
    field: Edges
    step: Edges
    shape: Edges


def measure_cost(network: nn.Module, channels: int, size: Sequence[int]) -> Cost:
    """Count what a network costs for one input; the network stays as it is.

    Args:
        network: A body, or a body with its head.
        channels: Channels of the input.
        size: Edges of the input in samples, z first.

    Example:
        >>> from medclf.net.family.lenet import LeNet
        >>> cost = measure_cost(LeNet(2, 1), channels=1, size=(32, 32))
        >>> cost.weights, cost.field, cost.shape
        (60000, (32, 32), (84, 1, 1))
    """
    return measure_parts(network, [""], channels, size)[""]


def measure_parts(
    network: nn.Module, parts: Iterable[str], channels: int, size: Sequence[int]
) -> dict[str, Cost]:
    """Count what parts of a network cost for one input; the network stays as it is.

    Args:
        network: A body, or a body with its head.
        parts: Names of modules within it, which each run once; "" is the whole.
        channels: Channels of the input.
        size: Edges of the input in samples, z first.

    Example:
        >>> from medclf.net.family.lenet import LeNet
        >>> cost = measure_parts(LeNet(2, 1), ["c1", "s2", "c3"], channels=1, size=(32, 32))
        >>> [(name, part.weights, part.shape, part.field[0]) for name, part in cost.items()]
        [('c1', 156, (6, 28, 28), 5), ('s2', 12, (6, 14, 14), 6), ('c3', 1516, (16, 10, 10), 14)]
    """
    state = _without_values(network)
    wanted = {name: network.get_submodule(name) for name in parts}
    trace = _Trace(len(size), set(wanted.values()))
    heard = [m for m in network.modules() if m in trace.parts or _is_layer(m)]
    hooks = [m.register_forward_hook(trace.after) for m in heard]
    hooks += [m.register_forward_pre_hook(trace.before) for m in trace.parts]
    kind = next((p.dtype for p in network.parameters()), torch.float32)
    image = torch.empty(BATCH, channels, *size, dtype=kind, device="meta")
    trace.set(image, Field((1,) * len(size), (1,) * len(size)))
    try:
        with torch.no_grad(), trace:
            functional_call(network, state, (image,)) if state else network(image)
    finally:
        for hook in hooks:
            hook.remove()
    weights = {name: sum(p.numel() for p in part.parameters()) for name, part in wanted.items()}
    return {name: Cost(weights[name], *trace.found[part]) for name, part in wanted.items()}


def count_products(layers: Iterable[nn.Module], work: Callable[[], object]) -> int:
    """Count the products of convolutions, linear and recurrent layers while some work is done.

    Args:
        layers: Those that count, among other modules; each as often as it works.
        work: Done once.
    """
    total = 0

    def after(layer: nn.Module, inputs: tuple[Any, ...], out: Any) -> None:
        nonlocal total
        if isinstance(layer, nn.RNNBase):
            steps = inputs[0].data.shape[:-1].numel()
            total += steps * sum(p.numel() for p in layer.parameters() if p.ndim > 1)
        elif (weight := _kernel(layer)) is not None:
            maps = out.shape[-1 if isinstance(layer, nn.Linear) else 1]
            total += weight.numel() * (out.numel() // maps)

    heard = [part for part in layers if _is_layer(part) or isinstance(part, nn.RNNBase)]
    hooks = [part.register_forward_hook(after) for part in heard]
    try:
        work()
    finally:
        for hook in hooks:
            hook.remove()
    return total


def _without_values(network: nn.Module) -> dict[str, Tensor]:
    """Give tensors that stand for those of a network; none where it has no values itself."""
    own = dict([*network.named_parameters(), *network.named_buffers()])
    if all(tensor.is_meta for tensor in own.values()):
        return {}
    return {name: torch.empty_like(tensor, device="meta") for name, tensor in own.items()}


class _Trace(TorchFunctionMode):
    """Follows the tensors of one forward pass."""

    def __init__(self, dims: int, parts: set[nn.Module]) -> None:
        super().__init__()
        self.dims, self.parts = dims, parts
        self.products = 0
        self.begun: dict[nn.Module, int] = {}
        self.found: dict[nn.Module, Found] = {}
        self.fields: dict[int, tuple[Tensor, Field]] = {}

    def set(self, tensor: Tensor, field: Field) -> None:
        """Note the field of a tensor, and keep the tensor so that its id stays its own."""
        self.fields[id(tensor)] = (tensor, field)

    def get(self, *values: Any) -> Field:
        """Give the widest field among the tensors of a call."""
        found = [self.fields[id(v)][1] for v in values if id(v) in self.fields]
        if len(found) == 1:
            return found[0]
        edges, steps = [f.edge for f in found], [f.step for f in found]
        return Field(_widest(edges, self.dims), _widest(steps, self.dims))

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__name__", "") in SAME and args[0].is_meta:
            out = torch.empty(args[0].shape, dtype=args[0].dtype, device="meta")
        else:
            out = func(*args, **(kwargs or {}))
        inputs = list(_tensors([*args, *(kwargs or {}).values()]))
        if any(id(tensor) in self.fields for tensor in inputs):
            field = self.get(*inputs)
            for tensor in _tensors([out]):
                self.set(tensor, field)
        return out

    def before(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Note how many products came before a part."""
        self.begun[module] = self.products

    def after(self, module: nn.Module, inputs: tuple[Any, ...], out: Tensor) -> None:
        """Count a layer that has just run, widen the field if it is a window, and sum up a part."""
        if (weight := _kernel(module)) is not None:
            maps = out.shape[-1 if isinstance(module, nn.Linear) else 1]
            self.products += weight.numel() * (out.numel() // maps)
        if hasattr(module, "kernel_size"):
            self.set(out, _widen(self.get(*inputs), module, self.dims))
        if module in self.parts:
            products, field = (self.products - self.begun[module]) // BATCH, self.get(out)
            self.found[module] = (products, field.edge, field.step, tuple(out.shape[1:]))


def _is_layer(module: nn.Module) -> bool:
    return hasattr(module, "kernel_size") or _kernel(module) is not None


def _kernel(module: nn.Module) -> Tensor | None:
    """Give the weight of a convolution or a linear layer; that of a norm has one axis only."""
    weight = getattr(module, "weight", None)
    return weight if isinstance(weight, Tensor) and weight.ndim > 1 else None


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
