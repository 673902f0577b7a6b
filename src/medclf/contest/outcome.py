"""How the work of one entry ends, and how far it is meanwhile; plain, to pass between processes."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from medclf.evaluate.standing import Cost


@dataclass(frozen=True)
class Step:
    """How far an entry is.

    Args:
        done: Of its steps: epochs, or settings tried.
        total: Steps in all, as far as is known.
        row: The newest row of the training's log.
    """

    done: int
    total: int
    row: Mapping[str, float] = field(default_factory=dict)


Tell = Callable[[Step], None]


@dataclass(frozen=True)
class Outcome:
    """How an entry ended.

    Args:
        cost: What it took; `None` where it came to nothing.
        note: What a reader should know of it, in a sentence.
        reason: Why it came to nothing.
    """

    cost: Cost | None = None
    note: str = ""
    reason: str = ""

    @property
    def done(self) -> bool:
        """Whether it has come to its end, so that nothing is left to do."""
        return self.cost is not None

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Outcome":
        """Take back what `to_json` gave."""
        cost = plain["cost"] and Cost(**plain["cost"])
        return cls(cost, plain["note"], plain["reason"])


class Job(Protocol):
    """The work of one entry, which may be sent to another process."""

    @property
    def folder(self) -> Path:
        """Where the entry keeps what it makes: `predictions.csv`, `scores.json`, and more."""

    def run(self, tell: Tell) -> Outcome:
        """Do the work.

        Raises:
            MedclfError: it cannot be done.
        """
