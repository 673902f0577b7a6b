"""What the headers of DICOM files tell of exams: whose they are, and facts of patient and scanner.

What a table tells wins over what a header does, but a note says so where the two disagree on who is
one person. No pixels are read.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from medclf.core.record import Fact, Record, Source
from medclf.core.threads import in_order
from medclf.curate.choice import plain_name
from medclf.curate.problem import count
from medclf.errors import ReadError
from medclf.read.archive import read_bytes, read_start
from medclf.read.dicom.facts import read_facts
from medclf.read.image import DICOM_SUFFIXES, looks_like_image
from medclf.read.refuse import open_file

HEADER = 2**16
"""The first bytes of a packed file, which mostly hold its header."""


def read_headers(
    records: Sequence[Record], patients: bool = True
) -> tuple[tuple[Record, ...], list[str]]:
    """Learn patient, age, sex and more from the headers of DICOM files, and say so in notes.

    Args:
        records: What they know already stays, but for the patient where a header names one.
        patients: Whether the headers tell the patient. They may have been blanked, so whoever
            knows better says no, and hears where a header calls two patients one.
    """
    files = [next(iter(record.images.values())).first for record in records]
    chosen = [i for i, file in enumerate(files) if may_be_dicom(file)]
    once = list(dict.fromkeys(files[i] for i in chosen))  # Many rows may mark one image.
    read = dict(zip(once, in_order(partial(_facts, patients), once), strict=True))
    known = {i: read[files[i]] for i in chosen if read[files[i]]}
    if not known:
        return tuple(records), []
    named, theirs = list(records), dict[int, str]()
    stated = {name for facts in known.values() for name in facts if facts[name] is not None}
    for i, found in known.items():
        there = {"patient", *(_plain(name) for name in records[i].facts)}
        facts = {name: found[name] for name in found if name in stated and name not in there}
        if found["patient"]:
            theirs[i] = str(found["patient"])
        patient = theirs.get(i) if patients else None
        facts = {**facts, **records[i].facts}
        named[i] = replace(records[i], patient=patient or records[i].patient, facts=facts)
    what = "Patient and facts" if patients and theirs else "Facts"
    notes = [f"{what} of {count(len(known), 'exam')} come from their DICOM headers."]
    one = len(set(theirs.values())) == 1 < len(theirs)
    if patients and one:
        notes.append(
            f"All of them name one patient, {theirs.popitem()[1]!r}: if that is a blank, "
            "say --patient none."
        )
    elif not patients and not one:
        notes += [*_tell_parted(named, theirs), *_tell_united(named, theirs)]
    return tuple(named), notes


def _plain(name: str) -> str:
    """Name a fact of a table as a header's is named, where that means the same."""
    plain = plain_name(name).removeprefix("patient_")
    return {"age": "age_years", "gender": "sex"}.get(plain, plain)


def _tell_parted(records: Sequence[Record], theirs: Mapping[int, str]) -> list[str]:
    """Tell of patients that headers count as one and the table as several."""
    called = defaultdict[str, set[str]](set)
    for i, patient in theirs.items():
        called[patient].add(records[i].patient or records[i].name)
    parted = sum(len(names) > 1 for names in called.values())
    if not parted:
        return []
    told = count(parted, "patient")
    return [f"DICOM headers know {told} that count as several here: are they the same persons?"]


def _tell_united(records: Sequence[Record], theirs: Mapping[int, str]) -> list[str]:
    """Tell of patients that headers count as several and the table as one."""
    called = defaultdict[str, set[str]](set)
    for i, patient in theirs.items():
        called[records[i].patient].add(patient)
    united = sum(len(names) > 1 for own, names in called.items() if own)
    if not united:
        return []
    told = f"{count(united, 'patient')} here {'is' if united == 1 else 'are'}"
    return [f"{told} known as several to DICOM headers: are these the same persons?"]


def may_be_dicom(source: Source) -> bool:
    """Tell whether a file of a cohort may be DICOM.

    By its suffix; without that of any image a file is in the cohort only if it is DICOM.
    """
    name = (source.member or source.path.name).lower()
    return source.index is None and (name.endswith(DICOM_SUFFIXES) or not looks_like_image(name))


def _facts(patients: bool, source: Source) -> dict[str, Fact]:
    """Read a header; what cannot be read is the audit's.

    Args:
        patients: Whether all of a packed file is read where its first bytes name no patient.
        source: A file.
    """
    facts: dict[str, Fact] = {}
    with suppress(ReadError, OSError):
        if source.member:
            facts = _start(source)
            if not facts.get("patient") and (patients or not facts):
                facts = read_facts(read_bytes(source))
        else:
            with open_file(source.path) as file:
                facts = read_facts(file)
    return facts if any(facts.values()) else {}


def _start(source: Source) -> dict[str, Fact]:
    """Read the start of a header; nothing where it ends in the midst of a sequence."""
    try:
        return read_facts(read_start(source, HEADER))
    except ReadError:
        return {}
