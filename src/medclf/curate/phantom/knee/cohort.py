"""A cohort of knees: radiographs from the front, graded 0 to 4 by readers who differ.

Each patient has one knee pictured or both. What the table calls an image is the word of one of
three readers; all readings and the true severity stand beside it. Every patient has chance of their
own from the seed: the cohort comes out the same, byte by byte, however many threads made it.
"""

import csv
import json
from dataclasses import asdict
from itertools import combinations
from math import ceil
from pathlib import Path

import numpy as np

from medclf.curate.phantom.cohort import Progress, in_threads, whole_folder
from medclf.curate.phantom.detector import expose, respond
from medclf.curate.phantom.knee.grade import (
    GRADES,
    READERS,
    draw_signs,
    expected_kappa,
    reading_chances,
    true_grade,
)
from medclf.curate.phantom.knee.joint import Build, Signs, project_knee
from medclf.curate.phantom.knee.patient import SIDES, Knee, Patient, draw_build, draw_patient, posed
from medclf.curate.phantom.radiograph import Sitting, View, write_radiograph
from medclf.curate.phantom.screen import Screen
from medclf.curate.phantom.shapes import Array
from medclf.errors import SettingError

FIELD_MM = 150.0
SHIFT_MM = 5.0
FINE_MM = 0.5  # rays are at most so far apart; each pixel counts what several of them let through
REGION, DIRECTION = ("72696002", "Knee"), ("399348003", "antero-posterior")
NAMES = ("path", "label", "patient", "age", "sex", "site", "side")


def make_knees(
    folder: Path,
    patients: int = 240,
    seed: int = 0,
    pixels: int = 160,
    progress: Progress | None = None,
) -> Path:
    """Make a cohort of knee radiographs of phantoms, whole or not at all.

    In `folder` come to lie `images/*.dcm`, `cohort.csv` with one row per image, and `truth.json`:
    the kappa that each reader may expect with the others and with the truth, the kappa of the true
    grade with the labels, and the signs of every knee. The columns of the readers and `severity`
    are for measuring, never inputs.

    Args:
        folder: New, or empty.
        patients: How many; about 1.7 images each.
        seed: The same seed makes the same bytes.
        pixels: Along each side of an image, 64 to 512.
        progress: Called with the patients done and all patients.

    Returns:
        The table, `folder / "cohort.csv"`.

    Raises:
        SettingError: `patients` or `pixels` is out of its range, or `seed` is negative.
        CohortError: the folder is not empty, or cannot be written.
    """
    if patients < 1 or not 64 <= pixels <= 512 or seed < 0:
        raise SettingError(
            "phantom knees: 1 patient or more, 64 to 512 pixels and a seed from 0 wanted, not "
            f"{patients} patients, {pixels} pixels, seed {seed}"
        )
    people = [draw_patient(number, seed) for number in range(patients)]
    with whole_folder(folder) as unfinished:
        (unfinished / "images").mkdir()
        signs: dict[str, Signs] = {}
        for found in in_threads(lambda one: _picture(one, pixels, unfinished), people, progress):
            signs.update(found)
        _write_table(unfinished / "cohort.csv", people)
        truth = {
            "kappa": state_kappa([knee.severity for one in people for knee in one.knees]),
            "readers": [asdict(reader) for reader in READERS],
            "order": "inner before outer; spurs: tibia inner and outer, femur inner and outer",
            "signs": {name: asdict(each) for name, each in sorted(signs.items())},
        }
        (unfinished / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return folder / "cohort.csv"


def state_kappa(severity: list[float]) -> dict[str, float]:
    """Compute which quadratic kappa may be expected on knees of these severities.

    Returns:
        By "first-second" and so on for two readers, "first-truth" for a reader and the true grade,
        and "label-truth" for the true grade and the labels, each the word of a reader at random.
    """
    truth = true_grade(severity)
    chances = {reader.name: reading_chances(severity, reader) for reader in READERS}
    label = np.mean(list(chances.values()), axis=0)
    pairs = {f"{a}-{b}": (chances[a], chances[b]) for a, b in combinations(chances, 2)}
    pairs |= {f"{name}-truth": (one, truth) for name, one in (*chances.items(), ("label", label))}
    return {name: round(expected_kappa(*pair), 4) for name, pair in pairs.items()}


def draw_knee(
    signs: Signs, build: Build, knee: Knee, pixels: int, rng: np.random.Generator
) -> Array:
    """Picture a knee: (pixels, pixels) quanta, as a multiple of what comes through the leg.

    Args:
        signs: Of osteoarthritis.
        build: Of the leg, as it lies.
        knee: Its side and the X-ray unit.
        pixels: Along each side of the picture.
        rng: Chance of place, lean, textures and quanta.
    """
    pixel_mm = FIELD_MM / pixels
    rays = ceil(pixel_mm / FINE_MM)
    up, across = rng.normal(0, SHIFT_MM, 2).clip(-2 * SHIFT_MM, 2 * SHIFT_MM)
    screen = Screen(pixels * rays, pixel_mm / rays, (float(up), float(across)))
    lean = float(rng.normal(0, 0.035))
    attenuation = project_knee(signs, build, SIDES[knee.side], lean, screen, rng)
    through = np.exp(-attenuation).reshape(pixels, rays, pixels, rays).mean((1, 3))
    return expose(-np.log(through), pixel_mm, knee.device, rng, through_leg)


def through_leg(arriving: Array) -> float:
    """Upper quartile of what comes through the leg, which is less than a third of the open beam."""
    return float(np.quantile(arriving[arriving < 0.35 * arriving.max()], 0.75))


def _picture(patient: Patient, pixels: int, folder: Path) -> dict[str, Signs]:
    """Picture the knees of a patient, and tell their signs by image."""
    anatomy, *sittings = np.random.default_rng((*patient.seed, 4)).spawn(3)
    build = draw_build(patient, anatomy)
    found = {}
    for number, (knee, rng) in enumerate(zip(patient.knees, sittings, strict=False), start=1):
        name = _file_name(patient, knee)
        found[name] = signs = draw_signs(knee.severity, rng)
        exposure = draw_knee(signs, posed(build, rng), knee, pixels, rng)
        sitting = Sitting(
            patient.name,
            patient.age_years,
            patient.sex,
            number,
            patient.day,
            knee.device,
            entropy=f"knee {patient.seed} {pixels}",
            view=View("KNEE", REGION, DIRECTION, "AP", knee.side),
        )
        stored = respond(exposure, knee.device)
        write_radiograph(folder / name, stored, round(FIELD_MM / pixels, 4), sitting)
    return found


def _file_name(patient: Patient, knee: Knee) -> str:
    return f"images/{patient.name}-{knee.side}.dcm"


def _write_table(path: Path, people: list[Patient]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow((*NAMES, *(reader.name for reader in READERS), "severity"))
        for one in people:
            for knee in one.knees:
                label = GRADES[knee.readings[knee.reader]]
                named = (_file_name(one, knee), label, one.name)
                facts = (one.age_years, one.sex, knee.device.site, knee.side)
                table.writerow((*named, *facts, *knee.readings, knee.severity))
