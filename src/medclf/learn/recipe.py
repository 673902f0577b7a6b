"""A recipe: every setting of a run, from TOML and back, nothing hidden and nothing unknown.

A recipe is a frozen dataclass of frozen dataclasses, one for each table of the TOML file. An
unknown key is an error that names the nearest known one.
"""

import difflib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from medclf.errors import SettingError
from medclf.learn.transfer import Transfer
from medclf.look.augment import Augment
from medclf.prepare.exam import Prepare

Built = TypeVar("Built")
Option = bool | int | float | str
FEWEST_RESAMPLES = 20  # below, no interval of 95 % can be read off


@dataclass(frozen=True)
class Net:
    """Which network judges.

    Args:
        name: A body of `medclf.net.table`.
        options: What the body lets be chosen, as `{ width = 32 }`; what is absent is its own.
        dropout: Share of features dropped before the head.
        pool: How the head pools over space: "mean", "mean+max", or "dense", the dense layers of
            the network's paper.
        pretrained: "imagenet" starts from the weights that are published for it, "" from chance.
            In volumes they are inflated, or shared out if `options` has `volume = "acs"`.
    """

    name: str = "sprint"
    options: Mapping[str, Option] = field(default_factory=dict)
    dropout: float = 0.0
    pool: Literal["mean", "mean+max", "dense"] = "mean"
    pretrained: Literal["", "imagenet"] = ""

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise SettingError(f"net.dropout must be in [0, 1), not {self.dropout}")


@dataclass(frozen=True)
class Fit:
    """How the network learns.

    Args:
        members: Networks that are trained and averaged.
        folds: Parts that training and validation exams are dealt into, by patient; member m
            validates on part m. 0 keeps the validation split as it stands.
        epochs: Passes of each member over its exams; 0 for what the budget allows.
        steps: Steps of a pass at most, over exams drawn anew; 0 for a pass over all of them.
        batch: Exams in a step.
        optimizer: "adamw" or "sgd" (with Nesterov momentum .9).
        rate: Peak of the one-cycle learning rate.
        rates: Among which a trial on validation chooses `rate`; empty: it is as it stands.
        warmup: Share of the steps in which the rate rises.
        weight_decay: Decay of weights, not of biases and norms.
        smoothing: Share of each label spread over all classes.
        balance: "none", "loss" (rare classes weigh more) or "sampling" (are drawn more often).
        average: Decay of the running average of weights, which is what is kept; 0 for none.
        shift: Shift of the copies averaged in use, as a share of the edge; 0 for no copies.
        patience: Epochs without a better validation loss after which a member stops and its best
            weights are kept; 0 to go on to the end.
        mirror: "try" lets a trial on validation decide whether `augment.mirror` names the last
            axis; "no" leaves `augment.mirror` as it is.
        save_memory: Keep of each block only its input, and work the rest out anew going back:
            slower by about a third, for deep networks in large volumes.
        precision: "auto" (bfloat16 where the processor has it), "bfloat16" or "float32".
        seed: All chance comes from it.
    """

    members: int = 1
    folds: int = 0
    epochs: int = 0
    steps: int = 0
    batch: int = 64
    optimizer: Literal["adamw", "sgd"] = "adamw"
    rate: float = 4e-3
    rates: tuple[float, ...] = ()
    warmup: float = 0.2
    weight_decay: float = 0.05
    smoothing: float = 0.1
    balance: Literal["none", "loss", "sampling"] = "none"
    average: float = 0.99
    shift: float = 0.0
    patience: int = 0
    mirror: Literal["try", "no"] = "no"
    save_memory: bool = False
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    seed: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be settled by the budget, or tried."""
        return self.epochs > 0 and self.mirror != "try" and not self.rates

    def __post_init__(self) -> None:
        for name in ("members", "batch", "rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingError(f"fit.{name} must be above 0, not {getattr(self, name)}")
        if not all(0 < rate < math.inf for rate in self.rates):
            raise SettingError(f"fit.rates must be above 0, not {self.rates}")
        for name in ("warmup", "smoothing", "average", "shift"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingError(f"fit.{name} must be in [0, 1), not {getattr(self, name)}")
        if self.folds == 1:
            raise SettingError("fit.folds is 0 or at least 2, not 1")
        for name in ("folds", "epochs", "steps", "patience", "weight_decay", "seed"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingError(f"fit.{name} must be at least 0, not {getattr(self, name)}")


@dataclass(frozen=True)
class Decide:
    """How probabilities become an answer.

    Args:
        calibrate: "none", "temperature" or "bias" (temperature and a bias for each class).
        threshold: What the threshold aims at on validation: "accuracy", "balanced" (accuracy),
            "between" (the mean of the two) or "f1".
        resamples: Bootstrap samples behind each interval.
    """

    calibrate: Literal["none", "temperature", "bias"] = "temperature"
    threshold: Literal["accuracy", "between", "balanced", "f1"] = "accuracy"
    resamples: int = 2000

    def __post_init__(self) -> None:
        if self.resamples < FEWEST_RESAMPLES:
            raise SettingError(
                f"decide.resamples must be at least {FEWEST_RESAMPLES}, not {self.resamples}"
            )


@dataclass(frozen=True)
class Recipe:
    """Every setting of a run."""

    prepare: Prepare
    augment: Augment = field(default_factory=Augment)
    net: Net = field(default_factory=Net)
    fit: Fit = field(default_factory=Fit)
    decide: Decide = field(default_factory=Decide)
    transfer: Transfer = field(default_factory=Transfer)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe that `medclf plan` printed and a person may have edited.

    Raises:
        SettingError: the file is absent or no TOML, a key is unknown, or a value does not fit.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingError(f"{path}: cannot read this recipe: {problem}") from problem
    return parse_recipe(tables, str(path))


def parse_recipe(tables: Mapping[str, Any], where: str) -> Recipe:
    """Build a recipe from nested mappings, as TOML gives them.

    Raises:
        SettingError: a key is unknown (the nearest is named), or a value does not fit.
    """
    return _build(Recipe, tables, where, "")


def format_recipe(recipe: Recipe, reasons: Mapping[str, str] | None = None) -> str:
    """Write a recipe as TOML, with the reason for a choice behind its line.

    Args:
        reasons: By dotted key, as "fit.batch".
    """
    lines: list[str] = []
    for table in fields(recipe):
        lines.append(f"[{table.name}]")
        values = getattr(recipe, table.name)
        for key in fields(values):
            line = f"{key.name} = {_toml(getattr(values, key.name))}"
            reason = (reasons or {}).get(f"{table.name}.{key.name}", "")
            lines.append(f"{line}  # {reason}" if reason else line)
        lines.append("")
    return "\n".join(lines)


def _build(kind: type[Built], values: Mapping[str, Any], where: str, prefix: str) -> Built:
    hints = get_type_hints(kind)
    unknown = [key for key in values if key not in hints]
    if unknown:
        near = difflib.get_close_matches(unknown[0], hints, n=1, cutoff=0.0)[0]
        raise SettingError(
            f"{where}: unknown key {prefix}{unknown[0]!s}; the nearest is {prefix}{near}"
        )
    found = {}
    for key, value in values.items():
        hint = hints[key]
        if is_dataclass(hint) and isinstance(hint, type):
            if not isinstance(value, Mapping):
                raise SettingError(f"{where}: [{key}] must be a table, not {value!r}")
            found[key] = _build(hint, value, where, f"{prefix}{key}.")
        else:
            found[key] = _fit_type(hint, value, f"{where}: {prefix}{key}")
    required = [f.name for f in fields(kind) if f.default is MISSING is f.default_factory]  # type: ignore[arg-type]
    lacking = [prefix + name for name in required if name not in found]
    if lacking:
        raise SettingError(f"{where}: the keys {', '.join(lacking)} are wanted, not found")
    try:
        return kind(**found)
    except SettingError as problem:
        raise SettingError(f"{where}: {problem}") from problem


def _fit_type(hint: Any, value: Any, where: str) -> Any:
    """Check a TOML value against a field's type; lists become tuples, whole numbers floats."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in parts:
            raise SettingError(f"{where} must be one of {', '.join(parts)}, not {value!r}")
        return value
    if origin is tuple and isinstance(value, list | tuple):
        kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else list(parts)
        if len(kinds) != len(value):
            raise SettingError(f"{where} must hold {len(kinds)} values, not {value!r}")
        return tuple(_fit_type(k, v, where) for k, v in zip(kinds, value, strict=True))
    if origin is Mapping and isinstance(value, Mapping):
        return dict(value)
    if hint is float and type(value) is int:
        return float(value)
    if origin is None and type(value) is hint:
        return value
    raise SettingError(f"{where} must be {getattr(hint, '__name__', hint)}, not {value!r}")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(part) for part in value)}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)
