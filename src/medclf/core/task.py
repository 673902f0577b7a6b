"""A task: the classes by name, and whether they exclude each other, coexist, or rank.

It is the only place that knows the link function: how logits become probabilities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medclf.errors import SettingError

Kind = Literal["exclusive", "coexisting", "ranked"]


@dataclass(frozen=True)
class Task:
    """What is decided.

    Args:
        classes: Names in the order of the class numbers. With two exclusive classes the second is
            the positive one.
        kind: "exclusive" (just one is right), "coexisting" (each is there or not) or "ranked"
            (exclusive and in order, as grades).
        sets: Where data sets with other classes each were joined: their names, and the classes of
            each, which alone exclude each other. Empty: all classes are asked of every exam.

    Raises:
        SettingError: fewer than two exclusive classes, a name twice, an unknown kind, or a set of
            classes that are not there, or do not exclude each other.
    """

    classes: tuple[str, ...]
    kind: Kind = "exclusive"
    sets: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        fewest = 1 if self.kind == "coexisting" else 2
        if self.kind not in ("exclusive", "coexisting", "ranked"):
            raise SettingError(f"kind is exclusive, coexisting or ranked, not {self.kind!r}")
        if len(self.classes) < fewest:
            raise SettingError(f"a task needs {fewest} classes or more, not {self.classes}")
        if len(set(self.classes)) < len(self.classes):
            raise SettingError(f"class names must differ: {self.classes}")
        if self.sets and self.kind != "exclusive":
            raise SettingError(f"sets of exclusive classes wanted, these are {self.kind}")
        strange = {name for _, own in self.sets for name in own} - set(self.classes)
        if strange:
            raise SettingError(f"sets of the classes {self.classes} wanted, found {strange}")

    @classmethod
    def from_plain(cls, kept: Mapping[str, Any]) -> "Task":
        """Make a task again of what JSON kept of it."""
        sets = tuple((name, tuple(classes)) for name, classes in kept.get("sets", ()))
        return cls(tuple(kept["classes"]), kept["kind"], sets)

    @property
    def outputs(self) -> int:
        """Logits that a network gives: one per class, but one per step between ranked classes."""
        return len(self.classes) - (self.kind == "ranked")

    def among(self, name: str) -> tuple[bool, ...]:
        """Tell which logits are asked of an exam of the data set `name`: all, if it is none.

        Example:
            >>> Task(("a", "b", "c"), sets=(("one", ("a", "b")),)).among("one")
            (True, True, False)
        """
        own = dict(self.sets).get(name)
        return tuple(own is None or self.classes[k] in own for k in range(self.outputs))

    def probabilities(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """Turn logits into probabilities.

        Exclusive: softmax. Coexisting: a sigmoid each. Ranked: logit k says how surely the class
        lies above k; sigmoids are made to fall, and their differences are the classes' shares.

        Shape:
            (..., outputs) -> (..., K)

        Example:
            >>> Task(("no", "yes")).probabilities(np.array([0.0, 0.0])).tolist()
            [0.5, 0.5]
        """
        logits = np.asarray(logits, np.float64)
        if logits.shape[-1] != self.outputs:
            raise SettingError(f"{self.outputs} logits wanted on the last axis: {logits.shape}")
        if self.kind == "exclusive":
            raised = np.exp(logits - logits.max(-1, keepdims=True))
            return np.asarray(raised / raised.sum(-1, keepdims=True))
        above = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
        if self.kind == "coexisting":
            return np.asarray(above)
        above = np.minimum.accumulate(above, axis=-1)
        one, none = np.ones_like(above[..., :1]), np.zeros_like(above[..., :1])
        return -np.diff(np.concatenate([one, above, none], -1), axis=-1)

    def names(self, decided: NDArray[np.integer]) -> tuple[str, ...]:
        """Name what was decided on one exam: a class number, or 0 and 1 for each finding.

        Example:
            >>> Task(("effusion", "mass"), "coexisting").names(np.array([0, 1]))
            ('mass',)
        """
        found = np.flatnonzero(decided) if self.kind == "coexisting" else np.atleast_1d(decided)
        return tuple(self.classes[number] for number in found)

    def describe(self, label: int | tuple[int, ...]) -> str:
        """Say a label in words.

        Example:
            >>> Task(("effusion", "mass"), "coexisting").describe((1, 1))
            'effusion and mass'
        """
        if isinstance(label, tuple):
            there = [name for name, mark in zip(self.classes, label, strict=True) if mark]
            return " and ".join(there) or "none"
        return self.classes[label]
