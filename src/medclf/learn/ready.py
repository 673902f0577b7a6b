"""A cohort made ready to be learnt from: read, prepared, and split by patient and by image.

Landmarks of a standard scale are learnt from training exams, which are known only when copies of
images are; so the exams are then prepared twice, first by the percentiles of each image.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from medclf.core.cohort import Cohort
from medclf.curate.bookkeeping import check_records
from medclf.curate.cohort import Columns
from medclf.curate.remarked import check_remarks
from medclf.errors import RunError
from medclf.learn.align import digest_images, digest_labels, join_copies, know_again, tell_copied
from medclf.learn.alike import deal_looked, join_named, look_for_copies
from medclf.learn.bag import usual_images
from medclf.learn.facts import columns_of, digest_facts, learn_facts
from medclf.learn.recipe import Recipe
from medclf.learn.run import Digests, apply_splits, read_splits
from medclf.prepare.exam import Prepare
from medclf.prepare.place import add_places, asks_place
from medclf.prepare.standard import learn_standard
from medclf.prepare.store import Store, open_store


@dataclass(frozen=True, eq=False)
class Ready:
    """Exams that can be learnt from.

    Args:
        cohort: With every exam in a split.
        recipe: With all that preparing had to learn.
        reasons: Of what it learnt, by dotted key.
        store: Their images prepared, in the same order.
        known: By what each exam is known again.
        data: What a run keeps of where they come from.
    """

    cohort: Cohort
    recipe: Recipe
    reasons: Mapping[str, str]
    store: Store
    known: tuple[Digests, ...]
    data: dict[str, Any]


def make_ready(
    cohort: Cohort,
    recipe: Recipe,
    columns: Columns,
    progress: Callable[[int, int], None] | None = None,
    skip_unreadable: bool = False,
) -> Ready:
    """Prepare the images of a cohort, and deal its exams into splits that part no copies.

    Args:
        cohort: As read.
        recipe: How images are prepared, and the seed of the split.
        columns: What was said of the data, where the cohort does not tell it.
        progress: Told how many images of how many are prepared.
        skip_unreadable: Leave unreadable images out rather than stop.

    Raises:
        MedclfError: images cannot be read, or the exams cannot be split or learnt from.
    """
    cohort, stated = with_places(cohort, recipe, progress, skip_unreadable), cohort.records
    learnt = recipe.prepare.learnt
    first = recipe.prepare if learnt else replace(recipe.prepare, intensity="percentile")
    looking = look_for_copies(cohort, recipe.fit)
    prepared = partial(open_store, progress=progress, skip_unreadable=skip_unreadable)
    store = prepared(cohort.records, first, read=looking.read)
    cohort, left_out, reasons = keep_read(cohort, store), store.failures, dict[str, str]()
    cohort, alike = deal_looked(cohort, store, looking, recipe.fit, progress)
    if not learnt:
        prepare, reasons["prepare.landmarks"] = _learn(
            cohort, recipe.prepare, progress, skip_unreadable
        )
        recipe = replace(recipe, prepare=prepare)
        store = prepared(cohort.records, prepare)
        cohort, left_out = keep_read(cohort, store), tuple(dict.fromkeys(left_out + store.failures))
    digests = digest_images(store)
    cohort = join_copies(cohort, digests)
    training = [record for record in cohort.records if record.split == "train"]
    if recipe.facts.columns:
        recipe = replace(recipe, facts=learn_facts(training, recipe.facts))
    said = asdict(columns) if cohort.said is None else cohort.said
    images, copied = said["images"], tell_copied(cohort.records, digests)
    found = [*check_records(cohort), *check_remarks(store.remarks)]
    data = {
        "origin": str(cohort.origin.absolute()),
        "columns": {**said, "images": images and str(images.absolute())},
        "series": cohort.series,
        "digest": store.digest,
        "labels": digest_labels(cohort, stated, store.digest),
        "facts": digest_facts(cohort.records, recipe.facts, store.digest),
        "left_out": [list(failure) for failure in left_out],
        "alike": alike,
        "copied": copied,
        "views": usual_images(training),
        "problems": [*(problem.message for problem in found), *copied],
    }
    known = know_again(cohort, stated, digests, store.digest)
    return Ready(cohort, recipe, reasons, store, known, data)


def make_ready_again(
    folder: Path,
    cohort: Cohort,
    recipe: Recipe,
    data: dict[str, Any],
    progress: Callable[[int, int], None] | None = None,
) -> Ready:
    """Make ready what was begun with before: the same exams, in the same splits.

    Args:
        folder: That holds `exams.csv`.
        cohort: As read.
        recipe: How images are prepared.
        data: What was kept of where they come from.
        progress: Told how many images of how many are prepared.

    Raises:
        CohortError: exams are missing or new.
        RunError: their images have changed, or their labels, classes or patients, or facts that
            are learnt from.
    """
    # Of an exam that stands in the run only some of the images were left out.
    left_out = {name for name, _ in data["left_out"]} - set(read_splits(folder))
    kept = tuple(r for r in cohort.records if r.name not in left_out)
    skip = bool(data["left_out"])
    cohort = with_places(replace(cohort, records=kept), recipe, progress, skip)
    cohort = apply_splits(folder, cohort)
    store = open_store(cohort.records, recipe.prepare, progress=progress, skip_unreadable=skip)
    if store.digest != data["digest"]:
        raise RunError(f"{cohort.origin}: the images have changed since {folder} was begun")
    if data.get("labels", found := digest_labels(cohort, kept, store.digest)) != found:
        raise RunError(
            f"{cohort.origin}: the labels and patients that {folder} was begun with wanted, found "
            "others: the table has changed, or other columns are read"
        )
    expect_facts(folder, data, cohort, recipe)
    digests = digest_images(store)
    known = know_again(cohort, kept, digests, store.digest)
    cohort = join_copies(join_named(cohort, data.get("alike", [])), digests)
    return Ready(cohort, recipe, {}, store, known, data)


def expect_facts(folder: Path, data: Mapping[str, Any], cohort: Cohort, recipe: Recipe) -> None:
    """Check that what the recipe reads of the facts is what was begun with.

    Args:
        folder: Of what was begun.
        data: What was kept of where the exams come from.
        cohort: The same exams, with their places.
        recipe: Whose facts count.

    Raises:
        RunError: they have changed.
    """
    found = digest_facts(cohort.records, recipe.facts, data["digest"])
    if data.get("facts", found) != found:
        names = ", ".join(columns_of(recipe.facts))
        raise RunError(
            f"{cohort.origin}: the facts ({names}) that {folder} was begun with wanted, found "
            "others: the table has changed, or other columns are read"
        )


def with_places(
    cohort: Cohort,
    recipe: Recipe,
    progress: Callable[[int, int], None] | None = None,
    skip_unreadable: bool = False,
) -> Cohort:
    """Add to the facts where in the body points lie, where the recipe asks for it."""
    numbers = recipe.facts.numbers
    if not asks_place(numbers):
        return cohort
    placed = add_places(
        cohort.records, progress=progress, asked=numbers, skip_unreadable=skip_unreadable
    )
    return replace(cohort, records=placed)


def keep_read(cohort: Cohort, store: Store) -> Cohort:
    """Take the exams that have a row."""
    kept = set(store.names)
    return replace(cohort, records=tuple(r for r in cohort.records if r.name in kept))


def _learn(
    cohort: Cohort, prepare: Prepare, progress: Callable[[int, int], None] | None, skip: bool
) -> tuple[Prepare, str]:
    """Learn landmarks from training exams, and say from how many."""
    training = [record for record in cohort.records if record.split == "train"]
    prepare = learn_standard(training, prepare, progress=progress, skip_unreadable=skip)
    places = f" of {len(prepare.sites)} sites" if prepare.sites else ""
    return prepare, f"learnt from {len(training)} training exams{places}"
