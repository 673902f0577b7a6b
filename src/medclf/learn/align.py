"""Keep apart what was learnt from and what is judged, by the images themselves.

File names and paths change, and the same picture may stand in a data set twice. So exams are known
by a digest of their prepared pixels: copies are dealt into one split, and a run is never judged on
an image that it learnt from.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.curate.cohort import Columns, read_cohort
from medclf.curate.join import join_exams
from medclf.curate.problem import count, tell
from medclf.curate.renumber import renumber
from medclf.errors import CohortError
from medclf.learn.loop import Indices
from medclf.learn.run import Digests, Run, read_known, read_learnt
from medclf.prepare.store import Rows


def digest_images(rows: Rows, part: int = 256) -> list[str]:
    """Digest the prepared pixels of each exam."""
    table, found = rows.images, dict[int, str]()
    used = np.unique(table[table >= 0])
    for chosen in np.array_split(used, max(1, len(used) // part)):
        for row, values in zip(chosen, rows.batch(chosen), strict=True):
            found[int(row)] = _digest(values.tobytes())
    each = [[found[row] for row in exam if row >= 0] for exam in table.tolist()]
    return [some[0] if len(some) == 1 else _digest(" ".join(some).encode()) for some in each]


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def _digest_patient(patient: str, salt: str) -> str:
    return _digest(f"{salt} {patient}".encode("utf-8", "surrogateescape"))


def join_copies(cohort: Cohort, digests: Sequence[str]) -> Cohort:
    """Count exams that show the same image as one patient's, within each split."""
    return join_exams(cohort, _group(enumerate(digests)), "an image")


def _group(digests: Iterable[tuple[int, str]]) -> list[list[int]]:
    """Group exams, by their numbers, that show the same image."""
    groups: dict[str, list[int]] = {}
    for number, digest in digests:
        groups.setdefault(digest, []).append(number)
    return list(groups.values())


def join_judged(run: Run, cohort: Cohort, chosen: Indices, digests: Sequence[str]) -> Cohort:
    """Count exams to be judged as one patient's where training would, so that intervals agree.

    These are exams of equal images, and those of the run's own, known by name and image, that it
    dealt together.

    Args:
        run: It knows copies among its own exams.
        cohort: With the patients as the data state them.
        chosen: Numbers of the exams that are judged.
        digests: Of the images of all.
    """
    own, records = read_known(run.folder), cohort.records
    numbers = chosen.tolist()
    named = {
        records[n].name: n
        for n in numbers
        if records[n].name in own and own[records[n].name].image == digests[n]
    }
    alike = [
        [named[name] for name in some if name in named]
        for some in run.facts["data"].get("alike", ())
    ]
    equal = _group((n, digests[n]) for n in numbers)
    return join_exams(cohort, [*alike, *equal], "an image")


def digest_patients(records: Iterable[Record], salt: str) -> list[str]:
    """Digest whose each exam is, by a salt; "" where it is nobody's that is known.

    Who knows the salt and a patient's number can tell whether the patient is among them; nobody
    can read a number from them but by trying.
    """
    return [_digest_patient(r.patient, salt) if r.patient != r.name else "" for r in records]


def know_again(
    cohort: Cohort, stated: Iterable[Record], digests: Sequence[str], salt: str
) -> tuple[Digests, ...]:
    """Make that by which a run knows each exam of a cohort again.

    Args:
        stated: The same exams and others, with the patients as the data state them: in the
            cohort, those who share an image may count as one.
        digests: Of the cohort's images.
        salt: Of the patients' digests.
    """
    every = {record.name: record for record in stated}
    patients = digest_patients((every[r.name] for r in cohort.records), salt)
    return tuple(map(Digests, digests, patients))


def digest_labels(cohort: Cohort, stated: Iterable[Record], salt: str) -> str:
    """Digest what is learnt of a cohort's exams: the classes, and the label and patient of each.

    Args:
        stated: As `know_again` takes it.
        salt: Likewise.
    """
    task, kept = cohort.task, {record.name for record in cohort.records}
    rows = sorted(
        (r.name, r.patient, () if r.label is None else task.names(np.asarray(r.label)))
        for r in stated
        if r.name in kept
    )
    told = repr((salt, task.kind, task.classes, rows))
    return _digest(told.encode("utf-8", "surrogateescape"))


def tell_copied(records: Sequence[Record], digests: Sequence[str]) -> list[str]:
    """Tell of exams to be measured on whose image stands among the others, which are learnt from.

    Args:
        records: Split.
        digests: Of the images of each.

    Returns:
        One sentence, or none where every image stands apart.
    """
    judged = "test" if any(record.split == "test" for record in records) else "val"
    others: dict[str, str] = {}
    for record, digest in zip(records, digests, strict=True):
        if record.split != judged:
            others.setdefault(digest, record.name)
    pairs = [
        f"{record.name} = {others[digest]}"
        for record, digest in zip(records, digests, strict=True)
        if record.split == judged and digest in others
    ]
    if not pairs:
        return []
    told = f"{count(len(pairs), f'{judged} exam')} with an image that was learnt from too"
    return [f"{told}, equal once prepared; the splits are kept, and they count: {tell(pairs)}"]


def choose_exams(run: Run, cohort: Cohort) -> Cohort:
    """Choose what a run may be judged on: the test split, or everything where there is none.

    Raises:
        CohortError: the classes are others, or no exam has a label.
    """
    cohort = renumber(cohort, run.task)
    labelled = tuple(r for r in cohort.records if r.label is not None)
    tests = tuple(r for r in labelled if r.split == "test")
    return replace(cohort, records=tests or labelled)


def find_unseen(run: Run, cohort: Cohort, digests: Sequence[str]) -> tuple[Indices, list[str]]:
    """Find the exams that the run learnt nothing of: neither the image nor the patient.

    Copies of what was learnt from are left out even where the data's own test split holds them.

    Args:
        cohort: With the patients as the data state them.
        digests: Of their images.

    Returns:
        Their numbers, and how many are left out, in sentences.

    Raises:
        CohortError: none is left.
    """
    images, patients = read_learnt(run.folder)
    seen = np.array([digest in images for digest in digests])
    salt = run.facts["data"]["digest"]
    met = ~seen & [digest in patients for digest in digest_patients(cohort.records, salt)]
    unseen = np.flatnonzero(~seen & ~met)
    if not len(unseen):
        people = " or their patients; if only their numbers agree, say --patient none"
        raise CohortError(
            f"{cohort.origin}: new exams wanted, but {run.folder} learnt from all"
            f"{people if met.any() else ''}"
        )
    why = {"which the run": seen.sum(), "of patients that the run": met.sum()}
    told = {whose: f"{count(int(n), 'exam')} left out" for whose, n in why.items() if n}
    return unseen, [f"{exams}, {whose} learnt from" for whose, exams in told.items()]


def read_again(run: Run, data: str | Path | None) -> Cohort:
    """Read the exams that a run was begun with, as they were read then.

    Args:
        data: Where they are now; `None`: where they were.
    """
    origin = run.facts["data"]["origin"] if data is None else data
    return read_cohort(Path(origin), columns_of(run.facts["data"]))


def columns_of(data: Mapping[str, Any]) -> Columns:
    """Tell what the person said of the data, from what `run.json` keeps of them."""
    kept = data["columns"]
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in kept.items()}
    images = plain["images"]
    return Columns(**plain | {"images": None if images is None else Path(images)})


def say_columns(data: Mapping[str, Any]) -> list[str]:
    """Say what `run.json` keeps of the person's words on the data as on the command line.

    Example:
        >>> said = {"label": "dx", "patient": None, "classes": ["a", "b"], "tidy_labels": True}
        >>> say_columns({"columns": said})
        ['--label', 'dx', '--classes', 'a,b', '--tidy-labels']
    """
    words: list[str] = []
    for name, value in data["columns"].items():
        if value not in (None, False):
            words.append(f"--{name.replace('_', '-')}")
        if isinstance(value, list | tuple):
            words.append(",".join(value))
        elif isinstance(value, str):
            words.append(value)
    return words
