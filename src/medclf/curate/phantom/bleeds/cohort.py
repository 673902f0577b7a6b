"""Real brains with planted microbleeds and mimics, as a cohort of marked candidates.

Backgrounds are real and the truth is exact. Each brain has chance of its own from the seed and its
place in the list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from medclf.core.record import Source
from medclf.curate.phantom.bleeds.plant import Planted, Planting, plant_bleeds
from medclf.curate.phantom.cohort import Progress, in_threads, whole_folder
from medclf.curate.phantom.marks import Mark, mark_near, write_marks
from medclf.errors import SettingError
from medclf.read.image import read_image
from medclf.read.write import write_image

LABELS = ("look-alike", "microbleed")


@dataclass(frozen=True)
class Brain:
    """A volume to plant into.

    Args:
        path: Of the volume.
        labels: Of its label map; `None` for none.
        patient: Whose; unique.
        fluid: Labels of vessels and fluid; empty to know them by their brightness.
    """

    path: Path
    patient: str
    labels: Path | None = None
    fluid: tuple[int, ...] = ()


def make_bleeds(
    folder: Path,
    brains: Sequence[Brain],
    planting: Planting,
    seed: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Plant lesions into brains and write them as a cohort, whole or not at all.

    In `folder` come to lie `volumes/*.nii.gz`, `cohort.csv` with one row per lesion, labelled
    "microbleed" or "look-alike", and `truth.csv` with what each of them is.

    Args:
        folder: New, or empty.
        brains: At least one.
        planting: What is planted into each.
        seed: The same seed makes the same bytes.
        progress: Called with the brains done and all brains.

    Returns:
        The table, `folder / "cohort.csv"`.

    Raises:
        SettingError: there are no brains, a patient comes twice, or a brain or a setting does not
            serve.
        CohortError: the folder is not empty, or cannot be written.
        ReadError: a volume cannot be read.
    """
    patients = {one.patient for one in brains}
    if not brains or len(patients) < len(brains) or seed < 0:
        raise SettingError(
            f"brains of patients who each come once and a seed from 0 wanted, found {len(brains)} "
            f"brains of {len(patients)} patients, seed {seed}"
        )
    with whole_folder(folder) as unfinished:
        (unfinished / "volumes").mkdir()
        work = partial(_plant, brains=brains, planting=planting, seed=seed, folder=unfinished)
        found = in_threads(work, range(len(brains)), progress)
        write_marks(unfinished, [mark for marks in found for mark in marks])
    return folder / "cohort.csv"


def _plant(
    number: int, brains: Sequence[Brain], planting: Planting, seed: int, folder: Path
) -> list[Mark]:
    """Write one brain with its lesions, and tell them."""
    brain, rng = brains[number], np.random.default_rng((seed, number, 6))
    image = read_image(Source(brain.path))
    labels = None if brain.labels is None else read_image(Source(brain.labels))
    made, planted = plant_bleeds(image, planting, rng, labels, brain.fluid)
    path = f"volumes/{brain.patient}.nii.gz"
    (folder / path).write_bytes(write_image(made, ".nii.gz")[0])
    return marks_of(planted, path, brain.patient, {}, rng)


def marks_of(
    planted: Sequence[Planted],
    path: str,
    patient: str,
    facts: Mapping[str, object],
    rng: np.random.Generator,
) -> list[Mark]:
    """Mark what was planted, as a detector does."""
    return [
        Mark(
            path,
            patient,
            LABELS[one.kind == "bleed"],
            one.kind,
            np.array(one.at_mm),
            mark_near(np.array(one.at_mm), rng),
            one.diameter_mm,
            facts,
        )
        for one in planted
    ]
