"""A cohort of phantoms: chest radiographs with a table, and the truth about them.

Each patient has a body, perhaps a finding, and one to three visits, each with its own stance,
breath and X-ray unit. What the table calls an image is one reader's word, whose chance follows from
the known severity (see `observer`), so the best possible AUC is known. Every patient has chance of
their own from the seed: the cohort comes out the same, byte by byte, however many threads made it.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from medclf.curate.phantom.body import build_body
from medclf.curate.phantom.detector import expose, respond
from medclf.curate.phantom.finding import Finding, place_finding
from medclf.curate.phantom.observer import LAPSE, THRESHOLD, WIDTH, chance_of_finding, ideal_auc
from medclf.curate.phantom.patient import Patient, Visit, draw_patient
from medclf.curate.phantom.person import draw_person
from medclf.curate.phantom.projection import project
from medclf.curate.phantom.radiograph import Sitting, write_radiograph
from medclf.curate.phantom.screen import Screen
from medclf.curate.phantom.shapes import turning
from medclf.errors import CohortError, SettingError

Progress = Callable[[int, int], None]
One = TypeVar("One")
Result = TypeVar("Result")
FIELD_MM = 390.0
SHIFT_MM = 8.0
COLUMNS = ("path", "label", "patient", "age", "sex", "site", "kind", "severity")


def make_phantoms(
    folder: Path,
    patients: int = 240,
    seed: int = 0,
    pixels: int = 128,
    progress: Progress | None = None,
) -> Path:
    """Make a cohort of chest radiographs of phantoms, whole or not at all.

    In `folder` come to lie `images/*.dcm`, `cohort.csv` with one row per image, and `truth.json`:
    the best possible AUC, the readers' curve, and size and place of every finding. The columns
    `kind` and `severity` are the truth: facts for subgroups, never inputs.

    Args:
        folder: New, or empty.
        patients: How many; about 1.85 images each.
        seed: The same seed makes the same bytes.
        pixels: Along each side of an image, 48 to 512.
        progress: Called with the patients done and all patients.

    Returns:
        The table, `folder / "cohort.csv"`.

    Raises:
        SettingError: `patients` or `pixels` is out of its range, or `seed` is negative.
        CohortError: the folder is not empty, or cannot be written.
    """
    if patients < 1 or not 48 <= pixels <= 512 or seed < 0:
        raise SettingError(
            "phantoms: 1 patient or more, 48 to 512 pixels and a seed from 0 wanted, not "
            f"{patients} patients, {pixels} pixels, seed {seed}"
        )
    screen = Screen(pixels, round(FIELD_MM / pixels, 4))
    people = [draw_patient(number, seed) for number in range(patients)]
    with whole_folder(folder) as unfinished:
        (unfinished / "images").mkdir()
        findings: dict[str, Finding] = {}
        for found in in_threads(lambda one: _picture(one, screen, unfinished), people, progress):
            findings.update(found)
        _write_table(unfinished / "cohort.csv", people)
        _write_truth(unfinished / "truth.json", people, findings)
    return folder / "cohort.csv"


def in_threads(
    job: Callable[[One], Result], people: Sequence[One], progress: Progress | None
) -> Iterator[Result]:
    """Do a job for everyone, and give the results in order, telling how many are done."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, result in enumerate(pool.map(job, people), start=1):
            if progress is not None:
                progress(done, len(people))
            yield result


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill that takes its place only when all went well.

    Raises:
        CohortError: `folder` is not empty, or cannot be written.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise CohortError(f"{folder}: a new or an empty folder wanted")
    absent = [place for place in folder.parents if not place.exists()]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".medclf-", dir=folder.parent) as shelter:
            unfinished = Path(shelter) / folder.name
            unfinished.mkdir()
            yield unfinished
            if folder.is_dir():
                folder.rmdir()
            unfinished.rename(folder)
    except OSError as problem:
        why = problem.strerror or problem
        raise CohortError(f"{folder}: cannot write phantoms here: {why}") from problem
    finally:
        with suppress(OSError):  # Of what was made only empty folders go.
            for place in absent:
                place.rmdir()


def _picture(patient: Patient, screen: Screen, folder: Path) -> dict[str, Finding]:
    """Build a patient's body, picture it at each visit, and tell the findings by image."""
    anatomy, lesion, *sittings = np.random.default_rng((*patient.seed, 1)).spawn(5)
    person = draw_person(patient.visits[0].age_years, patient.sex, anatomy)
    body = build_body(person, anatomy, step=min(2.0, 0.65 * screen.pixel_mm))
    finding = place_finding(body, patient.kind, 0.5, lesion) if patient.kind else None
    findings = {}
    for visit, rng in zip(patient.visits, sittings, strict=False):
        breath = float(rng.normal(0, 0.7))
        stance = turning(*rng.normal(0, (0.06, 0.04, 0.025)))
        off = rng.normal(0, SHIFT_MM, 2).clip(-2 * SHIFT_MM, 2 * SHIFT_MM)
        view = replace(screen, middle_mm=(float(off[0]), float(off[1])))
        here = None
        if finding is not None:
            here = replace(finding, severity=visit.severity)
            findings[_file_name(patient, visit)] = here
            here = here.moved(stance)
        standing = body.breathed(breath).moved(stance)
        shadow = project(standing, here, view, person.texture, rng)
        exposure = expose(shadow, screen.pixel_mm, visit.device, rng)
        sitting = Sitting(
            patient.name,
            visit.age_years,
            patient.sex,
            visit.number,
            visit.day,
            visit.device,
            entropy=f"{patient.seed} {screen.pixels}",
        )
        path = folder / _file_name(patient, visit)
        write_radiograph(path, respond(exposure, visit.device), screen.pixel_mm, sitting)
    return findings


def _file_name(patient: Patient, visit: Visit) -> str:
    return f"images/{patient.name}-{visit.number}.dcm"


def _write_table(path: Path, people: list[Patient]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for one in people:
            for visit in one.visits:
                facts = (visit.age_years, one.sex, visit.device.site, one.kind or "none")
                named = (_file_name(one, visit), visit.label, one.name)
                table.writerow((*named, *facts, visit.severity))


def _write_truth(path: Path, people: list[Patient], findings: dict[str, Finding]) -> None:
    severity = [visit.severity for one in people for visit in one.visits]
    truth = {
        "best_auc": ideal_auc(severity) if len(severity) > 1 else None,
        "reader": {"lapse": LAPSE, "threshold": THRESHOLD, "width": WIDTH},
        "axes": "place_mm is (z, y, x) in the body: up, backward, to the patient's left",
        "findings": {
            name: {
                "kind": finding.kind,
                "severity": finding.severity,
                "size_mm": round(finding.size_mm, 1),
                "place_mm": [round(float(mm), 1) for mm in finding.place],
                "chance_called": round(float(chance_of_finding(finding.severity)), 4),
            }
            for name, finding in sorted(findings.items())
        },
    }
    path.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
