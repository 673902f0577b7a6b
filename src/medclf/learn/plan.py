"""A plan: the recipe that a cohort's fingerprint asks for, with the reason for each choice.

Each choice is a short rule over what was measured of the cohort: how many exams, how large, of
what intensities, how the classes are balanced, and how many minutes there are. The rules were
found on validation splits of several data sets (docs/experiments.md); nothing here has seen a
test split.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from medclf.core.cohort import Cohort
from medclf.curate.fingerprint import Fingerprint
from medclf.errors import SettingError
from medclf.learn.preparation import choose_prepare
from medclf.learn.recipe import Recipe, expect_types, format_recipe
from medclf.learn.settings import Decide, Fit, Net
from medclf.learn.settle import LADDER
from medclf.look.augment import Augment

SMALLEST, LARGEST = {2: 28, 3: 24}, {2: 224, 3: 64}
STEP = 4  # edges are multiples of it, unless the exams come in one small size
# Of sprints in training, two cores. A stem with longer strides makes larger images as fast again,
# and yet they are worse than smaller ones seen more often (bench/sizes.py).
SAMPLES_PER_SECOND = 8e6
SEEN, EPOCHS = 15_000, 10  # exams that a member should see at the chosen size, and passes at least
POOLED = 3000  # exams below which training and validation exams are dealt into folds
FOLDS = 4
MEMBERS = 4
FEW_PASSES = 30  # over many exams; few are seen more often, `Fit.enough` times in all
ENOUGH = 200  # validation exams from which on biases are fitted too
SEVERAL = "the mean of several networks is steadier than one"


@dataclass(frozen=True)
class Plan:
    """A recipe and why it is so.

    Args:
        recipe: Ready for `train`; `fit.epochs` is 0 until the budget is settled.
        reasons: Sentences by dotted key.
    """

    recipe: Recipe
    reasons: Mapping[str, str] = field(default_factory=dict)

    def to_toml(self) -> str:
        """Write it so that `train --recipe` takes it and a person can edit it."""
        return format_recipe(self.recipe, self.reasons)


def take_plan(given: Plan | Recipe, seed: int | None = None) -> Plan:
    """Take what a person gives in place of the plan of a cohort.

    Args:
        given: A recipe, or a plan, whose reasons are kept.
        seed: In place of its own, where one is given.

    Raises:
        SettingError: it is neither, or a value in it does not fit.
    """
    plan = Plan(given) if isinstance(given, Recipe) else given
    if not isinstance(plan, Plan):
        raise SettingError(
            f"a recipe or a plan wanted, found {given!r:.80}; medclf.learn.recipe.read_recipe "
            "reads the file of a recipe"
        )
    return replace(plan, recipe=expect_types(plan.recipe, seed))


def make_plan(cohort: Cohort, found: Fingerprint, minutes: float, seed: int) -> Plan:
    """Choose every setting of a run.

    Args:
        cohort: With every exam in a split.
        found: Its fingerprint.
        minutes: Budget of the training, wall clock.
        seed: All chance comes from it.
    """
    learnt = sum(record.split != "test" for record in cohort.records)
    reasons: dict[str, str] = {}
    size, reasons["prepare.size"] = _size(found, learnt, minutes)
    prepare = choose_prepare(cohort, found, size, reasons)
    folds = FOLDS if learnt <= POOLED else 0
    recipe = Recipe(
        prepare=prepare,
        augment=_augment(found, reasons),
        net=_net(found, reasons),
        fit=_fit(cohort, found, learnt, folds, seed, reasons),
        decide=_decide(cohort, folds, reasons),
    )
    return Plan(recipe, reasons)


def _size(found: Fingerprint, learnt: int, minutes: float) -> tuple[tuple[int, ...], str]:
    """Keep the median shape where the budget allows, else shrink it in proportion."""
    shape = found.shape_median
    one_size = found.shape_min == found.shape_max
    if one_size and max(shape) <= 32:
        return tuple(shape), f"all images are {_times(shape)}: kept"
    seen = max(EPOCHS * learnt, min(SEEN, LADDER[-1] * learnt))
    passes = seen * (FOLDS if learnt <= POOLED else MEMBERS)
    allowed = 0.8 * minutes * 60 * SAMPLES_PER_SECOND / passes
    least, most = SMALLEST[found.dims], LARGEST[found.dims]
    budget, limit = (allowed / prod(shape)) ** (1 / found.dims), most / max(shape)
    factor = min(1.0, budget, limit)
    edges = tuple(min(most, max(least, STEP * round(n * factor / STEP))) for n in shape)
    why = f"median {_times(shape)}"
    if factor < 1 and budget < limit:
        time = f"{minutes:g} {'minute allows' if minutes == 1 else 'minutes allow'}"
        why += f", shrunk to what {time} for {learnt} exams"
    elif factor < 1:
        why += f", shrunk to the largest for {'pictures' if found.dims == 2 else 'volumes'}"
    return edges, why


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(edge) for edge in shape)


def _augment(found: Fingerprint, reasons: dict[str, str]) -> Augment:
    if found.dims == 3:
        changes = Augment(rotate_degrees=8.0, scale=0.08, shift=0.05)
        reasons["augment.rotate_degrees"] = "volumes lie more alike than pictures do"
    else:
        changes = Augment()
        reasons["augment.rotate_degrees"] = "patients are never placed quite alike"
    if found.binary:
        reasons["augment.brightness"] = "shapes without texture: brightness means nothing"
        return replace(changes, brightness=0.0, contrast=0.0)
    reasons["augment.brightness"] = "exposure and gain differ between devices"
    return changes


def _net(found: Fingerprint, reasons: dict[str, str]) -> Net:
    width = 32 if found.dims == 2 else 16
    reasons["net.name"] = "small and fast on a processor; trains in seconds"
    reasons["net.options"] = f"{width} channels first: enough for this many exams"
    reasons["net.pool"] = "means tell of the whole image, maxima of a small finding"
    return Net("sprint", {"width": width}, pool="mean+max")


def _fit(
    cohort: Cohort,
    found: Fingerprint,
    learnt: int,
    folds: int,
    seed: int,
    reasons: dict[str, str],
) -> Fit:
    batch = 32 if found.dims == 3 or learnt < 1000 else 64 if learnt < 20_000 else 128
    reasons["fit.batch"] = f"{learnt} exams to learn from"
    reasons["fit.epochs"] = "0: what the budget allows, settled when training starts"
    if folds:
        reasons["fit.folds"] = f"{learnt} exams are few: all of them train and all validate"
        reasons["fit.members"] = "one for each fold; more where the budget allows"
    else:
        reasons["fit.folds"] = f"{learnt} exams: the validation split is large enough"
        reasons["fit.members"] = SEVERAL
    balance, why = _balance(cohort)
    reasons["fit.balance"] = why
    enough = max(Fit.enough, FEW_PASSES * learnt)
    reasons["fit.enough"] = f"{enough // max(learnt, 1)} passes at most, as far as time allows"
    reasons["fit.shift"] = "the mean over copies a little shifted is steadier than one look"
    reasons["fit.mirror"] = "whether mirror images help is tried on validation, not assumed"
    return Fit(
        members=folds or MEMBERS,
        folds=folds,
        enough=enough,
        batch=batch,
        balance=balance,
        shift=0.04,
        mirror="try",
        seed=seed,
    )


def _balance(cohort: Cohort) -> tuple[Any, str]:
    """Weigh rare classes up where the rarest is less than half as common as an even share.

    Findings that coexist and grades that rank are left as they are.
    """
    task = cohort.task
    counts = [0] * len(task.classes)
    for record in cohort.records:
        if record.split == "test" or record.label is None:
            continue
        marks = record.label if isinstance(record.label, tuple) else None
        for k in range(len(counts)):
            counts[k] += marks[k] if marks is not None else record.label == k
    total = sum(counts)
    rarest = min(counts) * len(counts) / max(total, 1)
    told = ", ".join(f"{n} {name}" for name, n in zip(task.classes, counts, strict=True))
    if len(counts) > 8:
        told = f"{min(counts)} to {max(counts)} exams a class"
    if rarest >= 0.5:
        return "none", f"classes are near enough to equal ({told})"
    if task.kind == "exclusive":
        return "loss", f"unequal classes ({told}): rare ones weigh more"
    return "none", f"unequal classes ({told}): weighed only where they exclude each other"


def choose_calibration(cohort: Cohort, folds: int) -> tuple[Any, str]:
    """Choose how probabilities are calibrated, by how many exams are validated on."""
    splits = [record.split for record in cohort.records]
    validation = len(splits) - splits.count("test") if folds else splits.count("val")
    calibrate = "bias" if validation >= ENOUGH else "temperature"
    return calibrate, f"fitted on {validation} validation exams"


def _decide(cohort: Cohort, folds: int, reasons: dict[str, str]) -> Decide:
    calibrate, reasons["decide.calibrate"] = choose_calibration(cohort, folds)
    reasons["decide.threshold"] = "for accuracy and balanced accuracy alike, chosen on validation"
    return Decide(calibrate=calibrate, threshold="between")
