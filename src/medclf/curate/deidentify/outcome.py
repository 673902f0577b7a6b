"""What became of one file, and what a person must still look at. No word of it tells who it was."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from io import StringIO
from typing import Any

from medclf.core.remark import Remark

KINDS = {
    "burnt-in text": "Marks that look like text stand in the pixels and were left: look at them.",
    "masked": "Parts of the picture were masked: see that nothing was missed, nor too much lost.",
    "pixels unseen": "The pixels could not be searched for text.",
    "free text": "Words of free text were kept, those of a fixed list alone: read them.",
    "identity found": "An identity stood where none belongs, and was removed: is it the only one?",
    "private kept": "Private elements were kept that the standard lists as safe.",
    "report": "A structured report: read what it says.",
    "graphics kept": "Overlays or drawings were kept: look at them.",
    "unknown removed": "Elements that no dictionary knows were removed.",
    "misformed removed": "Values in no form that their kind allows were removed.",
    "date removed": "A date in no form that the standard knows could not be shifted, and went.",
    "patient unclear": "No patient's ID, or one of several people: are these files of one patient?",
    "metadata stripped": "Only what stood beside the pixels was removed: look at the picture.",
}
"""Every kind of remark, and what it asks of a person."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Args:
        number: Of the file among all that were found, from 1.
        path: Where it went, below the new folder; "" where it was refused.
        patient: The pseudonym; "" where refused, or where no patient is known.
        born: A keyed hash of the birth date; "" where none is known.
        refused: Why it was refused; "" where it was not.
        kind: `DICOM`, `PNG`, `JPEG`, `NIfTI`; "" where refused.
        modality: The DICOM code.
        changed: Attributes by what was done: removed, emptied, replaced, shifted, cleaned.
        masked: Share of the picture that was masked, 0 to 1.
        remarks: What a person must look at; the kind of each is one of `KINDS`, and its message
            names attributes and counts, never a value.
        mark: A keyed hash of what the file was, by which a resumed run knows it.
        accession: What stands for the accession number; "" where there is none.
        traces: Keyed hashes of the words that tell of people, as `traces.py` makes them.
    """

    number: int
    path: str = ""
    patient: str = ""
    born: str = ""
    refused: str = ""
    kind: str = ""
    modality: str = ""
    changed: dict[str, int] = field(default_factory=dict)
    masked: float = 0.0
    remarks: tuple[Remark, ...] = ()
    mark: str = ""
    accession: str = ""
    traces: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Lay it out for a line of JSON."""
        return asdict(self)

    @staticmethod
    def from_json(told: dict[str, Any]) -> "Outcome":
        """Read it back."""
        remarks = tuple(Remark(**remark) for remark in told["remarks"])
        traces = tuple(told.get("traces", ()))
        return Outcome(**{**told, "remarks": remarks, "traces": traces})


def doubt_patients(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Remark on the files of every patient whose files state several birth dates."""
    births: dict[str, set[str]] = {}
    for it in outcomes:
        births.setdefault(it.patient, set()).update({it.born} - {""})
    doubt = Remark("patient unclear", "the ID stands with several birth dates")
    return tuple(
        replace(it, remarks=(*it.remarks, doubt)) if len(births[it.patient]) > 1 else it
        for it in outcomes
    )


def format_outcomes(outcomes: Sequence[Outcome]) -> str:
    """Write what became of every file as CSV, one line each, without a word of who it was."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["number", "path", "patient", "kind", "modality", "masked", "changed", "look_at", "refused"]
    )
    for it in outcomes:
        changed = "; ".join(f"{n} {what}" for what, n in it.changed.items())
        look = "; ".join(f"{remark.kind}: {remark.message}" for remark in it.remarks)
        masked = f"{it.masked:.4f}" if it.masked else ""
        table.writerow(
            [
                it.number,
                it.path,
                it.patient,
                it.kind,
                it.modality,
                masked,
                changed,
                look,
                it.refused,
            ]
        )
    return text.getvalue()
