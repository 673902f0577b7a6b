"""A cohort of spine CTs with the middles of the vertebral bodies: which vertebra is where?

Scans show the whole spine or a part of it, the whole width of the body or the spine only. Spines
differ in posture, number of vertebrae, wear, fractures and implants. Each patient has chance of
their own from the seed: the cohort comes out the same, byte by byte, however many threads made it.

Source: the task, Glocker et al. Vertebrae Localization in Pathological Spine CT via Dense
Classification from Sparse Annotations. MICCAI 2013.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from medclf.core.image import Image
from medclf.curate.phantom.cohort import Progress, in_threads, whole_folder
from medclf.curate.phantom.ct import Frame
from medclf.curate.phantom.series import Form, write_scan
from medclf.curate.phantom.shapes import Array
from medclf.curate.phantom.spine.field import draw_frame
from medclf.curate.phantom.spine.patient import Chances, Spine, draw_spine
from medclf.curate.phantom.spine.scan import SCANNERS, scan
from medclf.curate.phantom.spine.vertebra import Bone
from medclf.errors import SettingError
from medclf.read.write import write_image

COLUMNS = ("path", "patient", "name", "z_mm", "y_mm", "x_mm", "age", "sex", "site")
TRUTH = ("path", "patient", "name", "state", "height_mm", "ribs", "cobb_degrees")
FARTHEST_MM = 400.0
"""How far from the middle of the table a patient may lie, along z."""

USUAL = Chances()
Row = tuple[object, ...]


@dataclass(frozen=True)
class Settings:
    """What a cohort is made by; as `make_spines` takes it."""

    seed: int
    spacing_mm: tuple[float, float, float]
    chances: Chances
    form: Form
    labels: bool

    @property
    def usable(self) -> bool:
        fine = len(self.spacing_mm) == 3 and all(0.4 <= mm <= 6 for mm in self.spacing_mm)
        return fine and self.chances.usable and self.seed >= 0 and self.form in ("nifti", "dicom")


def make_spines(
    folder: Path,
    patients: int = 40,
    seed: int = 0,
    spacing_mm: tuple[float, float, float] = (2.0, 1.0, 1.0),
    chances: Chances = USUAL,
    form: Form = "nifti",
    labels: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Make a cohort of spine CTs of phantoms, whole or not at all.

    In `folder` come to lie `volumes/`, with a file or a folder of DICOM files for each patient,
    `cohort.csv` with one row per vertebra whose middle lies in the scan, from the head down, and
    `truth.csv` with what else is known of each of them, in the same order.

    Args:
        folder: New, or empty.
        patients: How many; one scan each.
        seed: The same seed makes the same bytes.
        spacing_mm: Distance of neighbouring voxels along z, y and x, 0.4 to 6 each.
        chances: How common what makes spines hard is.
        form: Of the volumes.
        labels: Whether `labels/*.nii.gz` are written too, with a number of `levels.NUMBERS` in
            each voxel of a vertebra.
        progress: Called with the patients done and all patients.

    Returns:
        The table, `folder / "cohort.csv"`.

    Raises:
        SettingError: a setting is out of its range.
        CohortError: the folder is not empty, or cannot be written.
    """
    settings = Settings(seed, spacing_mm, chances, form, labels)
    if patients < 1 or not settings.usable:
        raise SettingError(
            "phantom spines: 1 patient or more, a seed from 0, three spacings of 0.4 to 6 mm, "
            f"chances of 0 to 1 and nifti or dicom wanted, not {patients} patients, {settings}"
        )
    with whole_folder(folder) as unfinished:
        for name in ("volumes", *("labels" for _ in range(labels))):
            (unfinished / name).mkdir()
        rows: list[Row] = []
        truth: list[Row] = []
        work = partial(_patient, settings=settings, folder=unfinished)
        for told, known in in_threads(work, range(patients), progress):
            rows += told
            truth += known
        _write(unfinished / "cohort.csv", COLUMNS, rows)
        _write(unfinished / "truth.csv", TRUTH, truth)
    return folder / "cohort.csv"


def _patient(number: int, settings: Settings, folder: Path) -> tuple[list[Row], list[Row]]:
    """Scan a patient, and tell the vertebrae."""
    rng = np.random.default_rng((settings.seed, number, 7))
    spine = draw_spine(settings.chances, rng)
    frame = draw_frame(spine, settings.spacing_mm, settings.chances, rng)
    scanner = SCANNERS[int(rng.integers(len(SCANNERS)))]
    made = scan(spine, frame, scanner, rng)
    # Patients lie anywhere on the table: no place in mm tells which vertebra is there.
    lying = np.round(rng.uniform(-1, 1, 3) * (FARTHEST_MM, 40, 40), 1)
    name = f"P{number + 1:04d}"
    there = _moved(frame, lying)
    elements = {
        "ProtocolName": "Spine",
        "PatientSex": spine.person.sex,
        "PatientAge": f"{spine.person.age_years:03d}Y",
    }
    path = write_scan(folder, made.image, there, settings.form, name, str(settings), elements)
    if settings.labels:
        map_of = Image(made.labels[None], there.grid)
        (folder / f"labels/{name}.nii.gz").write_bytes(write_image(map_of, ".nii.gz")[0])
    rows: list[Row] = []
    truth: list[Row] = []
    person, cobb = spine.person, round(spine.cobb_degrees, 1)
    for bone, ribs in zip(spine.bones, spine.ribs, strict=True):
        if bone.named and frame.holds(bone.centre):
            at = [round(float(mm), 3) for mm in bone.centre + lying]
            rows.append((path, name, bone.name, *at, person.age_years, person.sex, scanner.site))
            known = (_state(spine, bone), round(bone.size.height, 2), round(float(ribs), 2))
            truth.append((path, name, bone.name, *known, cobb))
    return rows, truth


def _state(spine: Spine, bone: Bone) -> str:
    """Tell in a word what became of a vertebra."""
    if bone.name in spine.screwed:
        return "screwed"
    if bone.name in spine.cemented:
        return "cemented"
    return "broken" if bone.broken else "whole"


def _moved(frame: Frame, by_mm: Array) -> Frame:
    """Lay a frame elsewhere."""
    z, y, x = (round(float(mm), 4) for mm in frame.start_mm + by_mm)
    return replace(frame, start_mm=(z, y, x))


def _write(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])
