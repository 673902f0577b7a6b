"""The tables of a recipe beside those of the rooms that prepare, change and transfer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from medclf.errors import SettingError

Option = bool | int | float | str
FEWEST_RESAMPLES = 20  # below, no interval of 95 % can be read off
MOST_SEED = 2**63 - 1  # what generators take
MOST_SENSITIVITY = 0.99  # more cannot be read off a few hundred validation exams


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
class Method:
    """Which idea of the literature turns images into views, and views into an answer.

    Args:
        name: A method of `medclf.method.table`.
        options: What the method lets be chosen; what is absent is its own.
        images: Images of an exam at most.
    """

    name: str = "whole_image"
    options: Mapping[str, Option] = field(default_factory=dict)
    images: int = 1

    def __post_init__(self) -> None:
        if self.images < 1:
            raise SettingError(f"method.images must be at least 1, not {self.images}")


@dataclass(frozen=True)
class Facts:
    """What about the patient is looked at beside the pixels, and how it is put in numbers.

    Args:
        numbers: Columns of numbers, as age; a few odd cells, as "90+", are read as missing.
        mean: Of each, over training exams; learnt when training starts.
        deviation: Likewise.
        words: Columns of words and the words that are known, as "sex=F", one number each;
            learnt when training starts for columns that are named without a word.
    """

    numbers: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The numbers that come of them, by name."""
        return (*self.numbers, *self.words)

    def __post_init__(self) -> None:
        for name in ("mean", "deviation"):
            if len(getattr(self, name)) not in (0, len(self.numbers)):
                raise SettingError(
                    f"facts.{name} has {len(self.numbers)} numbers or none, "
                    f"not {len(getattr(self, name))}"
                )
        if len(self.mean) != len(self.deviation):
            raise SettingError("facts.mean and facts.deviation go together, found only one of them")
        if not all(math.isfinite(mean) for mean in self.mean):
            raise SettingError(f"facts.mean must be finite, not {self.mean}")
        if not all(0 < deviation < math.inf for deviation in self.deviation):
            raise SettingError(f"facts.deviation must be above 0, not {self.deviation}")


@dataclass(frozen=True)
class Fit:
    """How the network learns.

    Args:
        members: Networks that are trained and averaged.
        folds: Parts that training and validation exams are dealt into, by patient; member m
            validates on part m. 0 keeps the validation split as it stands.
        epochs: Passes of each member over its exams; 0 for what the budget allows.
        steps: Steps of a pass at most, over exams drawn anew; 0 for a pass over all of them.
        enough: Exams that a member sees before more passes stop helping; what is left of the budget
            is for more members.
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
    enough: int = 60_000
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
        for name in ("members", "enough", "batch", "rate"):
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
        if self.seed > MOST_SEED:
            raise SettingError(f"fit.seed must be at most {MOST_SEED}, not {self.seed}")


@dataclass(frozen=True)
class Decide:
    """How probabilities become an answer.

    Args:
        calibrate: "none", "temperature" or "bias" (temperature and a bias for each class).
        threshold: What the threshold aims at on validation: "accuracy", "balanced" (accuracy),
            "between" (the mean of the two) or "f1".
        resamples: Bootstrap samples behind each interval.
        sensitivity: Least sensitivity that the threshold keeps on validation, of the positive class
            or of each finding, up to .99; 0 asks for none.
    """

    calibrate: Literal["none", "temperature", "bias"] = "temperature"
    threshold: Literal["accuracy", "between", "balanced", "f1"] = "accuracy"
    resamples: int = 2000
    sensitivity: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.sensitivity <= MOST_SENSITIVITY:
            raise SettingError(
                f"decide.sensitivity must be in [0, {MOST_SENSITIVITY}], not {self.sensitivity}"
            )
        if self.resamples < FEWEST_RESAMPLES:
            raise SettingError(
                f"decide.resamples must be at least {FEWEST_RESAMPLES}, not {self.resamples}"
            )
