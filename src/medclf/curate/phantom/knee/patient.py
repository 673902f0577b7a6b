"""The patients of a knee cohort: age, build, one knee or both, how ill each is, who read it.

Severity grows with age, and the knees of one patient are alike. Grades come in fixed shares.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from medclf.curate.phantom.detector import Device
from medclf.curate.phantom.knee.grade import READERS, STEPS, draw_reading
from medclf.curate.phantom.knee.joint import Build
from medclf.curate.phantom.person import Sex, draw_person

UP_TO = (0.0, 0.3, 0.48, 0.74, 0.9, 1.0)  # share of knees below each severity, 0 to 5
OF_AGE, OF_PATIENT = 0.45, 0.8  # correlation of severity with age, and of a patient's knees
SIDES = {"R": -1, "L": 1}

DEVICES = (
    Device("north", "Phantom Imaging", "Clarity 3", 4000, 0.12, 0.2, 2.3, "MONOCHROME2"),
    Device("south", "Schlieren", "Wand 12", 2200, 0.2, 0.3, 2.7, "MONOCHROME1"),
    Device("harbour", "Old Harbour X-Ray", "Bucky II", 1200, 0.3, 0.4, 2.0, "MONOCHROME2"),
)


@dataclass(frozen=True)
class Knee:
    """One knee and its picture.

    Args:
        side: "R" or "L".
        severity: From 0 to below 5.
        readings: The grade that each of `READERS` gives.
        reader: Whose word is the label.
        device: The X-ray unit, with the exposure of this picture.
    """

    side: str
    severity: float
    readings: tuple[int, ...]
    reader: int
    device: Device


@dataclass(frozen=True)
class Patient:
    """Who comes.

    Args:
        name: Unique in the cohort.
        age_years, sex: On the day.
        day: Since the cohort's first day.
        knees: Right before left.
        seed: From which build, signs and noise are drawn.
    """

    name: str
    age_years: int
    sex: Sex
    day: int
    knees: tuple[Knee, ...]
    seed: tuple[int, int]


def draw_patient(number: int, seed: int) -> Patient:
    """Draw a patient; the same number and seed give the same one in every cohort.

    Example:
        >>> draw_patient(3, seed=0) == draw_patient(3, seed=0)
        True
    """
    rng = np.random.default_rng((seed, number, 3))
    sex: Sex = "F" if rng.random() < 0.58 else "M"
    aged = float(rng.normal())
    own = OF_AGE * aged + np.sqrt(1 - OF_AGE**2) * rng.normal()
    device = DEVICES[int(rng.integers(len(DEVICES)))]
    sides = ("R", "L") if rng.random() < 0.7 else (("R", "L")[int(rng.integers(2))],)
    knees = []
    for side in sides:
        latent = np.sqrt(OF_PATIENT) * own + np.sqrt(1 - OF_PATIENT) * rng.normal()
        severity = min(round(float(np.interp(ndtr(latent), UP_TO, STEPS)), 3), 4.999)
        readings = tuple(draw_reading(severity, reader, rng) for reader in READERS)
        dose = device.quanta_per_mm2 * float(rng.lognormal(0, 0.25))
        contrast = device.contrast * float(rng.lognormal(0, 0.08))
        exposed = replace(device, quanta_per_mm2=dose, contrast=contrast)
        knees.append(Knee(side, severity, readings, int(rng.integers(len(READERS))), exposed))
    age = int(np.clip(60 + 10 * aged, 35, 90))
    return Patient(
        f"P{number + 1:04d}", age, sex, int(rng.integers(600)), tuple(knees), (seed, number)
    )


def draw_build(patient: Patient, rng: np.random.Generator) -> Build:
    """Draw the build of a patient's legs. Women's bones are smaller, and lose more with age."""
    person = draw_person(patient.age_years, patient.sex, rng)
    lost = 0.05 * (patient.age_years - 60) / 10 * (patient.sex == "F")
    return Build(
        size=person.height,
        flesh=1 + 0.8 * (person.girth - 1) + 0.006 * person.fat_mm,
        fat_mm=3 + 0.7 * person.fat_mm,
        bone=float(np.clip(rng.normal(1 - lost, 0.1), 0.7, 1.25)),
        yaw=0.0,
        spines_mm=float(rng.normal(7.5, 0.8)),
        hollow_mm=float(rng.uniform(0.6, 1.8)),
        patella_mm=(float(rng.normal(0, 5)), float(rng.normal(0, 1.5))),
        plate_mm=1.2,
    )


def posed(build: Build, rng: np.random.Generator) -> Build:
    """Turn the leg as chance has it for this picture, and meet the joint more or less obliquely."""
    up, out = build.patella_mm
    moved = (up + float(rng.normal()), out + float(rng.normal()))
    yaw, plate = float(rng.normal(0.04, 0.07)), float(rng.uniform(1.0, 1.7))
    return replace(build, yaw=yaw, plate_mm=plate, patella_mm=moved)
