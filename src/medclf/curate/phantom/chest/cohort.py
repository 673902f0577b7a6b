"""A cohort of chest CTs with marked candidates: nodules, and what looks like them.

Each patient has chance of their own from the seed: the cohort comes out the same, byte by byte,
however many threads made it.

Source: the task, Setio et al. Validation, comparison, and combination of algorithms for automatic
detection of pulmonary nodules in CT: the LUNA16 challenge. Medical Image Analysis 2017.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from medclf.curate.phantom.chest.anatomy import Anatomy, build_anatomy
from medclf.curate.phantom.chest.lesion import NODULES, SHARES, Lesion, draw_nodule, draw_scar
from medclf.curate.phantom.chest.lookalike import (
    Place,
    choose_places,
    find_lookalikes,
    is_apart,
)
from medclf.curate.phantom.chest.scan import SCANNERS, frame_lungs, scan
from medclf.curate.phantom.cohort import Progress, in_threads, whole_folder
from medclf.curate.phantom.marks import Mark, mark_near, write_marks
from medclf.curate.phantom.person import Sex, draw_person
from medclf.curate.phantom.series import Form, write_scan
from medclf.curate.phantom.shapes import Array
from medclf.errors import SettingError

LABELS = ("look-alike", "nodule")
SCARS = 0.14
"""Share of the look-alikes."""

MOST = 60
"""Of nodules, and of look-alikes, in a patient."""


@dataclass(frozen=True)
class Settings:
    """What a cohort is made by; as `make_chests` takes it."""

    seed: int
    spacing_mm: float
    nodules: float
    lookalikes: int
    form: Form

    @property
    def usable(self) -> bool:
        counts = 0 <= self.nodules <= MOST and 0 <= self.lookalikes <= MOST
        known = self.form in ("nifti", "dicom")
        return counts and known and self.seed >= 0 and 0.6 <= self.spacing_mm <= 6


def make_chests(
    folder: Path,
    patients: int = 40,
    seed: int = 0,
    spacing_mm: float = 1.5,
    nodules: float = 3.0,
    lookalikes: int = 10,
    form: Form = "nifti",
    progress: Progress | None = None,
) -> Path:
    """Make a cohort of chest CTs of phantoms, whole or not at all.

    In `folder` come to lie `volumes/`, with a file or a folder of DICOM files for each patient,
    `cohort.csv` with one row per candidate, and `truth.csv` with what each of them is.

    Args:
        folder: New, or empty.
        patients: How many.
        seed: The same seed makes the same bytes.
        spacing_mm: Distance of neighbouring voxels, 0.6 to 6.
        nodules: Of a patient, on average: some have none.
        lookalikes: Candidates of a patient that are no nodules.
        form: Of the volumes.
        progress: Called with the patients done and all patients.

    Returns:
        The table, `folder / "cohort.csv"`.

    Raises:
        SettingError: a setting is out of its range.
        CohortError: the folder is not empty, or cannot be written.
    """
    settings = Settings(seed, spacing_mm, nodules, lookalikes, form)
    if patients < 1 or not settings.usable:
        raise SettingError(
            f"phantom chests: 1 patient or more, a seed from 0, 0.6 to 6 mm, 0 to {MOST} nodules "
            f"and look-alikes, and nifti or dicom wanted, not {patients} patients, {settings}"
        )
    with whole_folder(folder) as unfinished:
        (unfinished / "volumes").mkdir()
        marks: list[Mark] = []
        work = partial(_patient, settings=settings, folder=unfinished)
        for some in in_threads(work, range(patients), progress):
            marks += some
        write_marks(unfinished, marks)
    return folder / "cohort.csv"


def place_candidates(
    anatomy: Anatomy, nodules: float, lookalikes: int, rng: np.random.Generator
) -> tuple[list[Lesion], list[Place]]:
    """Place nodules and scars, and choose what else looks like a nodule.

    Args:
        anatomy: Whose chest.
        nodules: As many are to be expected.
        lookalikes: As many in all; fewer where there are not as many.
        rng: Chance.

    Returns:
        What is to be drawn, and all candidates, nodules first.
    """
    found = find_lookalikes(anatomy)
    taken: list[Array] = []
    lesions: list[Lesion] = []
    for kind in rng.choice(NODULES, size=min(rng.poisson(nodules), MOST), p=SHARES):
        lesions += _nodule(anatomy, str(kind), found["vessel"][0], taken, rng)
    scars = rng.binomial(lookalikes, SCARS)
    for centre in [one for one in _air(anatomy, 4 * scars, rng) if is_apart(one, taken)][:scars]:
        taken.append(centre)
        lesions.append(draw_scar(centre, rng))
    places = [Place(one.kind, one.centre, one.diameter_mm) for one in lesions]
    places += choose_places(found, lookalikes - scars, taken, rng)
    return lesions, places


def _nodule(
    anatomy: Anatomy, kind: str, vessels: Array, taken: list[Array], rng: np.random.Generator
) -> list[Lesion]:
    """Place a nodule, or none where every place that was tried is taken."""
    tried = _air(anatomy, 12, rng)
    if kind == "at a vessel" and len(vessels):
        tried = vessels[rng.integers(len(vessels), size=12)]
    lesion = draw_nodule(kind, np.zeros(3), rng)
    radius = lesion.diameter_mm / 2
    for place in tried:
        at = place + rng.normal(0, 0.3 * radius, 3)
        if kind == "at the wall":
            at = _toward_wall(anatomy, place, rng.uniform(0.1, 0.6) * radius, rng)
        if is_apart(at, taken) and anatomy.airy(at[None])[0]:
            taken.append(at)
            return [replace(lesion, centre=at)]
    return []


def _air(anatomy: Anatomy, count: int, rng: np.random.Generator) -> Array:
    """Draw places with air about them."""
    places = rng.uniform((-120, -80, -120), (120, 90, 120), (12 * count + 100, 3))
    return np.asarray(places[anatomy.clear(places)][:count])


def _toward_wall(
    anatomy: Anatomy, place: Array, inset_mm: float, rng: np.random.Generator
) -> Array:
    """Go level, outward at random, to where the lung ends, and back by a distance."""
    angle = rng.uniform(-0.9, 0.9) + (np.pi if place[2] < 0 else 0)
    way = np.array([rng.normal(0, 0.15), np.sin(angle), np.cos(angle)])
    steps = np.arange(0, 120, 0.5)[:, None] * way / np.linalg.norm(way)
    inside = anatomy.airy(place + steps)
    end = int(np.argmin(inside)) if not inside.all() else len(steps) - 1
    return np.asarray(place + steps[max(end - round(2 * inset_mm), 0)])


def _patient(number: int, settings: Settings, folder: Path) -> list[Mark]:
    """Scan a patient, and tell the candidates."""
    rng = np.random.default_rng((settings.seed, number, 5))
    sex: Sex = "F" if rng.random() < 0.5 else "M"
    age = int(np.clip(rng.normal(63, 10), 25, 92))
    scanner = SCANNERS[int(rng.integers(len(SCANNERS)))]
    anatomy = build_anatomy(draw_person(age, sex, rng), rng)
    lesions, places = place_candidates(anatomy, settings.nodules, settings.lookalikes, rng)
    frame, name = frame_lungs(anatomy, settings.spacing_mm), f"P{number + 1:04d}"
    image = scan(anatomy, lesions, frame, scanner, rng)
    elements = {"ProtocolName": "Chest", "PatientSex": sex, "PatientAge": f"{age:03d}Y"}
    path = write_scan(folder, image, frame, settings.form, name, str(settings), elements)
    facts = {"age": age, "sex": sex, "site": scanner.site}
    return [
        Mark(
            path,
            name,
            LABELS[one.kind in NODULES],
            one.kind,
            one.at_mm,
            mark_near(one.at_mm, rng),
            one.diameter_mm,
            facts,
        )
        for one in places
    ]
