"""What of a pretrained network learns, from when on, and how fast.

The parts of a network stand in a line: the stages of its body from the image on, and last the
head. A part learns at a rate that falls by `decay` with each step away from the head; with `thaw`
the head learns first, and one stage after the other joins in. A part that does not learn keeps the
statistics of its norms as well.

Source: Yosinski et al. How Transferable Are Features in Deep Neural Networks? NeurIPS 2014. Howard,
Ruder. Universal Language Model Fine-tuning. ACL 2018, sections 3.2 and 3.3 (rates, thawing).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from medclf.errors import SettingError
from medclf.method.contract import Learner
from medclf.net.body import Body
from medclf.net.start import NORMS


@dataclass(frozen=True)
class Transfer:
    """How much of a network learns.

    Args:
        learn: "all"; "head", which keeps the body as it is; "code", which learns without labels,
            for the method `code_then_tree`; or the name of a stage, from which on everything
            learns.
        head: "linear" learns with the loop; "logistic", "svm", "forest" and "tree" are fitted by
            scikit-learn to the features of a body that no label teaches (`learn = "head"` or
            `"code"`).
        decay: What the rate is multiplied by with each stage from the head towards the image.
        thaw: Share of the training until the first stage joins in; 0: all learn from the start.
        norms: "learn", or "frozen": the statistics of the body's norms stay as they are.
    """

    learn: str = "all"
    head: Literal["linear", "logistic", "svm", "forest", "tree"] = "linear"
    decay: float = 1.0
    thaw: float = 0.0
    norms: Literal["learn", "frozen"] = "learn"

    def __post_init__(self) -> None:
        if not 0 < self.decay <= 1:
            raise SettingError(f"transfer.decay must be above 0 and at most 1, not {self.decay}")
        if not 0 <= self.thaw < 1:
            raise SettingError(f"transfer.thaw must be in [0, 1), not {self.thaw}")
        if self.head != "linear" and self.learn not in ("head", "code"):
            raise SettingError(
                f'transfer.head = "{self.head}" is fitted to frozen features: it wants '
                f'transfer.learn = "head" or "code", found "{self.learn}"'
            )
        if self.learn == "code" and self.head == "linear":
            raise SettingError(
                'transfer.learn = "code" uses no labels: it wants a head that is fitted '
                '(transfer.head), found "linear"'
            )

    @property
    def fitted(self) -> bool:
        """Whether the head is fitted to features that are worked out once."""
        return self.head != "linear"

    @property
    def steps(self) -> bool:
        """Whether anything learns by steps of the loop."""
        return not self.fitted or self.learn == "code"


@dataclass(frozen=True)
class Share:
    """A part of the network.

    Args:
        modules: Its modules; stages of the body, or the rest.
        scale: What its rate is multiplied by; 0: it does not learn.
        start: Share of the training from which on it learns.
    """

    modules: tuple[nn.Module, ...]
    scale: float
    start: float

    def learns(self, done: float) -> bool:
        """Tell whether it learns by now, where `done` is the share of the training that is over."""
        return self.scale > 0 and done >= self.start

    def parameters(self) -> list[nn.Parameter]:
        """Give its weights, each once."""
        weights = (weight for module in self.modules for weight in module.parameters())
        return list(dict.fromkeys(weights))


def share_out(method: Learner, transfer: Transfer) -> list[Share]:
    """Part a method into what learns alike, from the image to the head.

    Raises:
        SettingError: no stage is called what the transfer names.
    """
    bodies = [module for module in method.modules() if isinstance(module, Body)]
    within = {id(part) for body in bodies for part in body.modules()}
    owners = [m for m in method.modules() if id(m) not in within and _owns(m)]
    deepest = max((len(body.names) for body in bodies), default=0)
    line = [
        tuple(body.get_submodule(body.names[-back]) for body in bodies if back <= len(body.names))
        for back in range(deepest, 0, -1)
    ]
    count, first = len(line), _first(bodies, transfer.learn)
    stages = [
        Share(
            modules,
            transfer.decay ** (count - place) if place >= first else 0.0,
            transfer.thaw * (count - place) / count,
        )
        for place, modules in enumerate(line)
    ]
    return [*stages, Share(tuple(owners), 1.0, 0.0)]


def set_free(shares: Sequence[Share], transfer: Transfer, done: float) -> None:
    """Let the parts learn whose time has come, and hold the others.

    Args:
        shares: Of a method that has just been switched to training.
        transfer: How much learns.
        done: Share of the training that is done.
    """
    for share in shares:
        learns = share.learns(done)
        for weight in share.parameters():
            weight.requires_grad_(learns)
        for module in share.modules:
            if not learns:
                module.eval()
    if transfer.norms == "frozen":
        stages = (module for share in shares[:-1] for module in share.modules)
        for module in (part for stage in stages for part in stage.modules()):
            if isinstance(module, NORMS):
                module.eval()


def _owns(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))


def _first(bodies: Sequence[Body], learn: str) -> int:
    """Give the place of the first stage that learns; the count of stages where none does."""
    names: Any = max((body.names for body in bodies), key=len, default=())
    if learn in ("all", "code"):
        return 0
    if learn == "head":
        return len(names)
    if learn not in names:
        known = ", ".join(names)
        raise SettingError(
            f'transfer.learn is "all", "head", "code" or a stage of {known}; not {learn!r}'
        )
    return list(names).index(learn)
