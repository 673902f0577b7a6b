from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate.fingerprint import Fingerprint
from medclf.learn.plan import _balance, _size, make_plan
from medclf.learn.preparation import BONE, LUNG, SOFT
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Decide, Fit, Net
from medclf.look.augment import Augment
from medclf.prepare.exam import Prepare

PICTURES = Fingerprint(
    exams=400, patients=400, images_per_exam=(1, 1), image_names={"image": 400}, classes={},
    kind="exclusive", sampled=256, unreadable=(), dims=2, channels=1, colour_is_grey=False,
    shape_min=(28, 28), shape_median=(28, 28), shape_max=(28, 28), oriented=False,
    spacing_known=0.0, spacing_min_mm=None, spacing_median_mm=None, spacing_max_mm=None,
    modalities={"": 256}, units={"": 256}, bits={"8": 256}, dtypes={"uint8": 256},
    uptake_known=0.0, binary=False, minimum=0, maximum=255, percentiles=(4.0, 90.0, 250.0),
)  # fmt: skip
PHOTOGRAPHS = replace(
    PICTURES, channels=3, shape_min=(450, 600), shape_median=(450, 600), shape_max=(450, 600)
)
CT = replace(
    PICTURES, dims=3, shape_min=(80, 512, 512), shape_median=(100, 512, 512),
    shape_max=(140, 512, 512), oriented=True, spacing_known=1.0, spacing_min_mm=(2.5, 0.7, 0.7),
    spacing_median_mm=(2.5, 0.75, 0.75), spacing_max_mm=(3.0, 0.9, 0.9), modalities={"CT": 256},
    units={"HU": 256}, bits={"16": 256}, dtypes={"int16": 256}, minimum=-1024, maximum=3000,
    percentiles=(-900.0, 30.0, 700.0),
)  # fmt: skip
SHAPES = replace(
    PICTURES, dims=3, shape_min=(28,) * 3, shape_median=(28,) * 3, shape_max=(28,) * 3, binary=True
)
VOLUMES = Augment(rotate_degrees=8.0, scale=0.08, shift=0.05)


def cohort_of(counts, kind="exclusive", tested=20):
    """Make exams of each class to learn from, and some test exams that a plan must not count."""
    image = {"image": Source(Path("a"))}
    labels = [k for k, n in enumerate(counts) for _ in range(n)]
    marks = [tuple(int(k == j) for j in range(len(counts))) for k in labels]
    told = marks if kind == "coexisting" else labels
    records = [
        Record(f"{n}", image, f"{n}", mark, "train" if n % 7 else "val")
        for n, mark in enumerate(told)
    ]
    records += [Record(f"test {n}", image, f"test {n}", told[0], "test") for n in range(tested)]
    return Cohort(tuple(records), Task(tuple("abcde"[: len(counts)]), kind), Path("exams.csv"))


PLANNED = {
    "a few small grey pictures": (
        *(cohort_of((160, 140)), PICTURES, 2.0),
        Recipe(
            Prepare((28, 28), 1),
            net=Net("sprint", {"width": 32}, pool="mean+max"),
            fit=Fit(members=4, folds=4, batch=32, shift=0.04, mirror="try", seed=3),
            decide=Decide("bias", "between"),
        ),
    ),
    "many photographs of unequal classes": (
        *(cohort_of((9000, 2500, 1000)), PHOTOGRAPHS, 60.0),
        Recipe(
            Prepare((168, 224), 3),
            net=Net("sprint", {"width": 32}, pool="mean+max"),
            fit=Fit(
                members=4,
                enough=375_000,  # 30 passes
                batch=64,
                balance="loss",
                shift=0.04,
                mirror="try",
                seed=3,
            ),
            decide=Decide("bias", "between"),
        ),
    ),
    "some CT of the chest in grades": (
        *(cohort_of((60, 40, 30, 20), "ranked"), CT, 10.0),
        Recipe(
            Prepare(
                (24, 64, 64),
                3,
                spacing_mm=(10.417, 6.0, 6.0),
                orientation="patient",
                intensity="window",
                window=(*LUNG, *SOFT, *BONE),
                dtype="float16",
            ),
            VOLUMES,
            Net("sprint", {"width": 16}, pool="mean+max"),
            Fit(members=4, folds=4, batch=32, shift=0.04, mirror="try", seed=3),
            Decide("temperature", "between"),
        ),
    ),
    "shapes without texture, with findings that coexist": (
        *(cohort_of((2500, 700), "coexisting"), SHAPES, 1.0),
        Recipe(
            Prepare((28, 28, 28), 1),
            replace(VOLUMES, brightness=0.0, contrast=0.0),
            Net("sprint", {"width": 16}, pool="mean+max"),
            Fit(members=4, enough=96_000, batch=32, shift=0.04, mirror="try", seed=3),
            Decide("bias", "between"),
        ),
    ),
}
TOLD_BESIDE = {
    "prepare.window": "prepare.intensity",
    "augment.scale": "augment.rotate_degrees",
    "augment.shift": "augment.rotate_degrees",
    "augment.contrast": "augment.brightness",
}
"""Settings that stand for one choice with another, which has the reason."""


@pytest.mark.parametrize(
    ("cohort", "found", "minutes", "wanted"), PLANNED.values(), ids=PLANNED.keys()
)
def test_a_plan_is_known_to_its_last_setting_and_each_choice_has_its_reason(
    cohort, found, minutes, wanted
):
    plan = make_plan(cohort, found, minutes, seed=3)
    assert plan.recipe == wanted
    usual = Recipe(Prepare((1,) * found.dims, 2))
    chosen = {
        f"{table.name}.{key.name}"
        for table in fields(Recipe)
        for key in fields(getattr(usual, table.name))
        if getattr(getattr(wanted, table.name), key.name)
        != getattr(getattr(usual, table.name), key.name)
    }
    told = {key for key, reason in plan.reasons.items() if reason}
    assert {TOLD_BESIDE.get(key, key) for key in chosen - told} - told == {"fit.seed"}
    lines = plan.to_toml().splitlines()
    assert all(any(line.endswith(f"  # {why}") for line in lines) for why in plan.reasons.values())


@pytest.mark.parametrize(
    ("learnt", "wanted"),
    [
        (198, (32, 4, "temperature")),
        (200, (32, 4, "bias")),
        (998, (32, 4, "bias")),
        (1000, (64, 4, "bias")),
        (3000, (64, 4, "bias")),
        (3002, (64, 0, "bias")),
        (19_998, (64, 0, "bias")),
        (20_000, (128, 0, "bias")),
    ],
)
def test_pictures_are_dealt_and_judged_by_how_many_there_are(learnt, wanted):
    recipe = make_plan(cohort_of((learnt // 2,) * 2), PICTURES, 2.0, 0).recipe
    assert (recipe.fit.batch, recipe.fit.folds, recipe.decide.calibrate) == wanted


def size_for(shape, learnt, minutes, smallest=None):
    found = SimpleNamespace(
        dims=len(shape), shape_median=shape, shape_min=smallest or shape, shape_max=shape
    )
    return _size(found, learnt, minutes)


@pytest.mark.parametrize(
    ("shape", "learnt", "minutes", "wanted"),
    [
        ((28, 28), 5000, 0.1, (28, 28)),  # small pictures of one size are kept
        ((224, 224), 5232, 10, (136, 136)),  # Kermany's, in ten minutes
        ((1000, 500), 400, 30, (224, 112)),  # proportions are kept
        ((2000, 2000), 10**6, 1, (28, 28)),  # no less than what a network can use
        ((128, 128, 128), 300, 2, (24, 24, 24)),
        ((91, 109, 91), 8, 2, (48, 56, 48)),  # few exams are seen less often
    ],
)
def test_sizes_are_what_the_budget_allows(shape, learnt, minutes, wanted):
    assert size_for(shape, learnt, minutes)[0] == wanted


def test_more_minutes_never_shrink_an_image():
    edges = [size_for((512, 512), 3000, m, (300, 512))[0][0] for m in (0.2, 0.5, 1, 2, 5, 20)]
    assert edges == sorted(edges)
    assert edges[0] < edges[-1] == 224


@pytest.mark.parametrize(
    ("kind", "rare", "balance", "told"),
    [
        ("exclusive", 5, "none", "near enough to equal"),
        ("exclusive", 1, "loss", "rare ones weigh more"),
        ("ranked", 1, "none", "unequal classes (9 a, 1 b): weighed only where they exclude"),
        ("coexisting", 1, "none", "unequal classes (9 a, 1 b): weighed only where they exclude"),
    ],
)
def test_rare_classes_are_told_whether_they_weigh_more_or_not(kind, rare, balance, told):
    labels = [k for k, many in ((0, 10 - rare), (1, rare)) for _ in range(many)]
    marks = [(1 - k, k) if kind == "coexisting" else k for k in labels]
    records = tuple(Record(str(n), {}, str(n), mark, "train") for n, mark in enumerate(marks))
    found = _balance(Cohort(records, Task(("a", "b"), kind), Path("exams.csv")))
    assert found[0] == balance
    assert told in found[1]


@pytest.mark.parametrize(
    ("shape", "minutes", "told"),
    [
        ((28, 28), 1, "all images are 28 x 28: kept"),
        ((200, 200), 0.2, "median 200 x 200, shrunk to what 0.2 minutes allow for 3000 exams"),
        ((200, 200), 1, "median 200 x 200, shrunk to what 1 minute allows for 3000 exams"),
        ((512, 512), 60, "median 512 x 512, shrunk to the largest for pictures"),
        ((200, 200), 60, "median 200 x 200"),
    ],
)
def test_the_reason_says_what_was_done(shape, minutes, told):
    assert size_for(shape, 3000, minutes)[1] == told
