"""One network in training: its weights, their running average, and the optimizer's state.

All of it goes to a single safetensors file and comes back bit for bit, so that a killed run goes
on as if nothing had happened. Every epoch draws its chance from (seed, member, epoch) alone.
"""

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Generator, Tensor

from medclf.errors import RunError
from medclf.learn.settings import Fit
from medclf.learn.transfer import Share, Transfer, set_free, share_out
from medclf.method.contract import Learner, Method, Taught

Log = list[dict[str, float]]
EVERYTHING = Transfer()
READABLE = 0o644  # safetensors makes files that only their owner can read


class Member(Generic[Taught]):
    """A network that learns.

    Args:
        method: What is trained, on its device.
        fit: How.
        number: Which member of the committee it is; part of its seed.
        transfer: What of it learns.
    """

    def __init__(
        self, method: Taught, fit: Fit, number: int, transfer: Transfer = EVERYTHING
    ) -> None:
        self.method, self.fit, self.number, self.transfer = method, fit, number, transfer
        self.shares = share_out(method, transfer)
        self.average = copy.deepcopy(method)
        self.average.eval()
        self.average.requires_grad_(False)
        self.best = copy.deepcopy(self.average) if fit.patience else None
        self.optimizer = make_optimizer(self.shares, fit)
        self.epoch, self.step, self.log = 0, 0, Log()
        self.fitted = False
        """Whether its head is fitted to its features: then it has nothing more to learn."""

    @property
    def kept(self) -> Taught:
        """The weights that the run keeps: averaged, and the best where patience watches."""
        return self.average if self.best is None else self.best

    def begin_step(self, total: int, learning: Sequence[bool]) -> list[bool]:
        """Switch to training what learns by now.

        Args:
            total: Steps of the whole training.
            learning: Which shares learnt in the step before; empty at the start of an epoch.

        Returns:
            Which of them learn now.
        """
        done = self.step / total
        now = [share.learns(done) for share in self.shares]
        if now != learning:
            self.method.train()
            set_free(self.shares, self.transfer, done)
        return now

    def generator(self) -> Generator:
        """Make the chance of the epoch that comes."""
        return seeded(self.fit.seed, self.number, self.epoch)

    def follow(self) -> None:
        """Move the averaged weights towards those of this step."""
        # The average must not remember the first random weights: it starts as a plain mean.
        decay = min(self.fit.average, self.step / (self.step + 10))
        with torch.no_grad():
            average, present = _floats(self.average), _floats(self.method)
            torch._foreach_lerp_(average, present, 1 - decay)

    def save(self, path: Path) -> None:
        """Write everything, whole or not at all."""
        tensors = dict(_prefixed("method", self.method.state_dict()))
        tensors |= _prefixed("average", self.average.state_dict())
        if self.best is not None:
            tensors |= _prefixed("best", self.best.state_dict())
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= _prefixed(f"optimizer.{index}", state)
        place = {"epoch": self.epoch, "step": self.step, "log": self.log, "fitted": self.fitted}
        save_tensors(path, tensors, {"place": json.dumps(place)})

    def load(self, path: Path) -> None:
        """Take up where `save` left off.

        Raises:
            RunError: the file is damaged, or of another network.
        """
        tensors, notes = load_tensors(path)
        try:
            place = json.loads(notes["place"])
            self.method.load_state_dict(_under("method", tensors))
            self.average.load_state_dict(_under("average", tensors))
            if self.best is not None:
                self.best.load_state_dict(_under("best", tensors))
            state = self.optimizer.state_dict()
            count = sum(len(group["params"]) for group in state["param_groups"])
            parts = {i: _under(f"optimizer.{i}", tensors) for i in range(count)}
            state["state"] = {i: part for i, part in parts.items() if part}
            self.optimizer.load_state_dict(state)
            _lay_out(self.optimizer)
        except (KeyError, RuntimeError, json.JSONDecodeError) as problem:
            raise RunError(f"{path}: a checkpoint of this network wanted: {problem}") from problem
        self.epoch, self.step, self.log = place["epoch"], place["step"], place["log"]
        self.fitted = place["fitted"]


MethodMember = Member[Method]
"""A member that classifies."""


def make_optimizer(shares: Sequence[Share], fit: Fit) -> torch.optim.Optimizer:
    """Build the optimizer; norms and biases do not decay.

    Each group keeps, as `scale`, what its rate is multiplied by.
    """
    groups: list[dict[str, Any]] = []
    for share in shares:
        weights = [p for p in share.parameters() if p.ndim > 1]
        others = [p for p in share.parameters() if p.ndim <= 1]
        for part, decay in ((weights, fit.weight_decay), (others, 0.0)):
            if part and share.scale:
                groups.append({"params": part, "weight_decay": decay, "scale": share.scale})
    if fit.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=fit.rate, momentum=0.9, nesterov=True, fused=True)
    return torch.optim.AdamW(groups, lr=fit.rate, fused=True)


def _lay_out(optimizer: torch.optim.Optimizer) -> None:
    """Give each moment the order in memory of its weight: fused steps pair them by place."""
    for weight, state in optimizer.state.items():
        for name, moment in state.items():
            if moment.shape == weight.shape:
                state[name] = torch.empty_like(weight.detach()).copy_(moment)


def seeded(*parts: int) -> Generator:
    """Make a generator whose chance belongs to these numbers alone."""
    state = np.random.SeedSequence(parts).generate_state(1, np.uint64)[0]
    return Generator().manual_seed(int(state >> 1))


def save_tensors(path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> None:
    """Write tensors and notes to a safetensors file, whole or not at all.

    Raises:
        RunError: it cannot be written; what was there before stays.
    """
    part = path.with_name(f".{path.name}.part")
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(whole, part, dict(notes))
        part.chmod(READABLE)
        part.replace(path)
    except (OSError, SafetensorError) as problem:
        part.unlink(missing_ok=True)
        raise RunError(f"{path}: cannot be written: {problem}") from problem


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what `save_tensors` wrote.

    Raises:
        RunError: the file is absent, cut short, or no safetensors file.
    """
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except (OSError, SafetensorError) as problem:
        raise RunError(f"{path}: cannot read these weights: {problem}") from problem


def _floats(module: Learner) -> list[Tensor]:
    everything: Iterable[Tensor] = [*module.parameters(), *module.buffers()]
    return [tensor.detach() for tensor in everything if tensor.is_floating_point()]


def _prefixed(prefix: str, tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    found = {f"{prefix}.{name}": value for name, value in tensors.items() if value is not None}
    return {name: torch.as_tensor(value) for name, value in found.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {name[len(start) :]: t for name, t in tensors.items() if name.startswith(start)}
