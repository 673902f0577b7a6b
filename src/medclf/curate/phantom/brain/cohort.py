"""A cohort of heads in susceptibility-weighted MR with microbleeds and what looks like them.

All of the anatomy is drawn, and differs by patient; lesions are planted into it as into real
brains, before the coil and the noise of the scanner. Veins and chalk of the anatomy itself look
like bleeds too, and are not told. Each patient has chance of their own from the seed: the cohort
comes out the same, byte by byte, however many threads made it.

Source: the task, Dou et al. Automatic Detection of Cerebral Microbleeds From MR Images via 3D
Convolutional Neural Networks. IEEE Transactions on Medical Imaging 2016.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from medclf.core.image import Image
from medclf.curate.phantom.bleeds.cohort import marks_of
from medclf.curate.phantom.bleeds.plant import Planting, plant_bleeds
from medclf.curate.phantom.brain.head import draw_head, frame_head
from medclf.curate.phantom.brain.scan import WET, Painter
from medclf.curate.phantom.brain.signal import SCANNERS, magnitude
from medclf.curate.phantom.cohort import Progress, in_threads, whole_folder
from medclf.curate.phantom.marks import Mark, write_marks
from medclf.curate.phantom.series import Form, write_scan
from medclf.errors import SettingError

USUAL = Planting(contrast=(0.6, 0.95), psf_mm=0.5)
MOST = 40
"""Bleeds in a patient."""


@dataclass(frozen=True)
class Settings:
    """What a cohort is made by; as `make_brains` takes it."""

    seed: int
    spacing_mm: tuple[float, float, float]
    bleeds: tuple[int, int]
    planting: Planting
    form: Form

    @property
    def usable(self) -> bool:
        fine = len(self.spacing_mm) == 3 and all(0.4 <= mm <= 6 for mm in self.spacing_mm)
        counts = len(self.bleeds) == 2 and 0 <= self.bleeds[0] <= self.bleeds[1] <= MOST
        return fine and counts and self.seed >= 0 and self.form in ("nifti", "dicom")


def make_brains(
    folder: Path,
    patients: int = 40,
    seed: int = 0,
    spacing_mm: tuple[float, float, float] = (1.5, 1.0, 1.0),
    bleeds: tuple[int, int] = (3, 8),
    planting: Planting = USUAL,
    form: Form = "nifti",
    progress: Progress | None = None,
) -> Path:
    """Make a cohort of brain MR of phantoms, whole or not at all.

    In `folder` come to lie `volumes/`, with a file or a folder of DICOM files for each patient,
    `cohort.csv` with one row per lesion, labelled "microbleed" or "look-alike", and `truth.csv`
    with what each of them is, in the same order.

    Args:
        folder: New, or empty.
        patients: How many; one scan each.
        seed: The same seed makes the same bytes.
        spacing_mm: Distance of neighbouring voxels along z, y and x, 0.4 to 6 each.
        bleeds: Least and most in a patient, drawn between them.
        planting: What else is planted, and how; `bleeds` stands in place of its own.
        form: Of the volumes.
        progress: Called with the patients done and all patients.

    Returns:
        The table, `folder / "cohort.csv"`.

    Raises:
        SettingError: a setting is out of its range.
        CohortError: the folder is not empty, or cannot be written.
    """
    settings = Settings(seed, spacing_mm, bleeds, planting, form)
    if patients < 1 or not settings.usable:
        raise SettingError(
            "phantom brains: 1 patient or more, a seed from 0, three spacings of 0.4 to 6 mm, 0 to "
            f"{MOST} bleeds and nifti or dicom wanted, not {patients} patients, {settings}"
        )
    with whole_folder(folder) as unfinished:
        (unfinished / "volumes").mkdir()
        work = partial(_patient, settings=settings, folder=unfinished)
        found = in_threads(work, range(patients), progress)
        write_marks(unfinished, [mark for marks in found for mark in marks])
    return folder / "cohort.csv"


def _patient(number: int, settings: Settings, folder: Path) -> list[Mark]:
    """Scan a patient, and tell the lesions."""
    rng = np.random.default_rng((settings.seed, number, 8))
    anatomy, lesions, marking, noise = rng.spawn(4)
    scanner = SCANNERS[int(anatomy.integers(len(SCANNERS)))]
    head, frame = draw_head(anatomy), frame_head(settings.spacing_mm)
    scene = Painter(head, frame, scanner, anatomy).paint()
    least, most = settings.bleeds
    planting = replace(settings.planting, bleeds=int(lesions.integers(least, most + 1)))
    clean, labels = (Image(one[None], frame.grid) for one in (scene.signal, scene.labels))
    made, planted = plant_bleeds(clean, planting, lesions, labels, (WET,))
    values = magnitude(made.values[0] * scene.coil, scanner, noise)
    image = Image(np.rint(values).astype(np.int16)[None], frame.grid, "MR", bits=12)
    person, name = head.person, f"P{number + 1:04d}"
    elements = scanner.elements | {
        "PatientSex": person.sex,
        "PatientAge": f"{person.age_years:03d}Y",
    }
    path = write_scan(folder, image, frame, settings.form, name, str(settings), elements)
    facts = {"age": person.age_years, "sex": person.sex, "site": scanner.site}
    return marks_of(planted, path, name, facts, marking)
