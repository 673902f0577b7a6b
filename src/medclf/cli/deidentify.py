"""`medclf deidentify`: images and their table without a word of whose they are."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from medclf.cli.options import Json
from medclf.cli.output import expect_place, write_output
from medclf.cli.progress import show_progress

if TYPE_CHECKING:
    from medclf.curate.deidentify.key import Key
    from medclf.curate.deidentify.options import Options
    from medclf.curate.deidentify.outcome import Outcome
    from medclf.curate.deidentify.table import Pseudonymised
    from medclf.report.deidentified import Look

PAGE, FILES, TABLE = "deidentified.html", "files.csv", "table.csv"
REFUSED_SHOWN, SAMPLE = 20, 12


Given = Annotated[Path, typer.Argument(metavar="IN", help="A folder, a zip or one file.")]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")]
KeyFile = Annotated[
    Path, typer.Option("--key", metavar="FILE", help="Of the pseudonyms; made where it is not.")
]
Retain = Annotated[
    str,
    typer.Option(metavar="NAMES", help="What stays: uids, device, institution, patient, private."),
]
Clean = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="What is cleaned: pixels, descriptors, structured, graphics; or none.",
    ),
]
Dates = Annotated[Literal["shift", "keep", "remove"], typer.Option(help="What becomes of dates.")]
Others = Annotated[bool, typer.Option("--others", help="Also take PNG, JPEG and NIfTI.")]
Sheet = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A table of the exams, to join them.")
]
Patient = Annotated[
    str | None, typer.Option(metavar="NAME", help="Its column of the patient's ID.")
]
Kept = Annotated[
    str, typer.Option(metavar="NAMES", help="Its columns that stay whatever they hold.")
]


def deidentify(  # noqa: PLR0913 - each argument is an option of the command line
    given: Given,
    out: Out,
    key: KeyFile,
    retain: Retain = "",
    clean: Clean = "pixels",
    dates: Dates = "shift",
    others: Others = False,
    table: Sheet = None,
    patient: Patient = None,
    keep_columns: Kept = "",
    as_json: Json = False,
) -> None:
    """Take out of DICOM files what tells who the patients are, and mask text in their pixels.

    Writes a report of what a person must still look at. Files are called by number, since names
    may tell: which is which stands in a list beside the key. Keep both to yourself.

    Example: medclf deidentify export shared --key study.key --table exams.csv
    """
    from medclf.core.record import Source
    from medclf.core.threads import count_cores
    from medclf.curate.cells import load_table
    from medclf.curate.deidentify.folder import deidentify_folder
    from medclf.curate.deidentify.key import load_key
    from medclf.curate.deidentify.options import Options

    options = Options(frozenset(_names(retain)), frozenset(_names(clean)), dates, others)
    links = key.with_name(f"{key.name}.{out.name}.csv")
    columns = None if table is None else load_table(Source(table))
    secret, new = load_key(key, out, *([given] if given.is_dir() else []))
    expect_place(links)
    ending = _Ending(secret, options, columns, patient, _names(keep_columns), str(table))
    ending.replace_columns({})  # A column that is not there ends it before the work, not after.
    with show_progress("De-identifying", quiet=as_json) as progress:
        outcomes, linked = deidentify_folder(
            given, out, secret, options, ending, progress, count_cores()
        )
    write_output(links, _private(linked))
    if as_json:
        sys.stdout.write(json.dumps(_summary(outcomes, out, links, new, ending.sheet)) + "\n")
    else:
        _tell(outcomes, out, key if new else None, links, ending.sheet)


class _Ending:
    """What is added to the new folder before it appears: the table of exams and the report."""

    def __init__(
        self,
        key: "Key",
        options: "Options",
        columns: "Mapping[str, Sequence[str | None]] | None",
        patient: str | None,
        kept: tuple[str, ...],
        where: str,
    ) -> None:
        self.key, self.options, self.where = key, options, where
        self.columns, self.patient, self.kept = columns, patient, kept
        self.sheet: Pseudonymised | None = None

    def __call__(self, folder: Path, outcomes: "Mapping[str, Outcome]") -> None:
        self.replace_columns(outcomes)
        if self.sheet is not None:
            (folder / TABLE).write_text(self.sheet.text, encoding="utf-8")
        _report(folder, list(outcomes.values()), self.options, self.key, self.sheet)

    def replace_columns(self, outcomes: "Mapping[str, Outcome]") -> None:
        """Pseudonymise the table, if there is one, given what became of each file."""
        from medclf.curate.deidentify.table import pseudonymise_table
        from medclf.curate.deidentify.traces import gather_shown

        if self.columns is not None:
            self.sheet = pseudonymise_table(
                self.columns,
                self.key,
                self.options,
                gather_shown(outcomes),
                self.patient,
                self.kept,
                self.where,
            )


def _names(text: str) -> tuple[str, ...]:
    words = [word.strip() for word in text.split(",")]
    return tuple(word for word in words if word and word != "none")


def _private(text: str) -> Callable[[Path], None]:
    """Write a file that its owner alone may read."""

    def write(path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)

    return write


def _report(
    folder: Path,
    outcomes: "Sequence[Outcome]",
    options: "Options",
    key: "Key",
    sheet: "Pseudonymised | None",
) -> None:
    """Write the page and the table of files into the new folder."""
    from collections import Counter
    from datetime import UTC, datetime

    from medclf import __version__
    from medclf.curate.deidentify.outcome import format_outcomes
    from medclf.report.deidentified import Deidentified, write_deidentified

    changed: Counter[str] = Counter()
    for outcome in outcomes:
        changed.update(outcome.changed)
    through = [o for o in outcomes if o.path]
    (folder / FILES).write_text(format_outcomes(outcomes), encoding="utf-8")
    write_deidentified(
        folder / PAGE,
        Deidentified(
            version=__version__,
            date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            files=len(outcomes),
            patients=len({o.patient for o in through if o.patient}),
            refused=tuple((o.number, o.refused) for o in outcomes if o.refused),
            looks=_looks(through),
            modalities=dict(Counter(o.modality or o.kind for o in through).most_common()),
            changed=dict(changed.most_common()),
            codes=options.codes,
            stays=options.stays,
            sample=_draw([o.path for o in through if not o.remarks], key),
            mark=key.mark,
            columns={} if sheet is None else sheet.columns,
        ),
    )


def _draw(paths: "Sequence[str]", key: "Key") -> tuple[str, ...]:
    """Draw a few files by the key, so that nobody chooses which."""
    return tuple(sorted(sorted(paths, key=lambda path: key.word("sample", path))[:SAMPLE]))


def _looks(outcomes: "Sequence[Outcome]") -> "tuple[Look, ...]":
    """Gather the remarks by kind, in the order in which the kinds matter."""
    from medclf.curate.deidentify.outcome import KINDS
    from medclf.report.deidentified import Look

    found = []
    for kind, meaning in KINDS.items():
        files = tuple(
            (o.path, remark.message)
            for o in outcomes
            for remark in o.remarks
            if remark.kind == kind
        )
        if files:
            found.append(Look(kind, meaning, files))
    return tuple(found)


def _summary(
    outcomes: "Sequence[Outcome]", out: Path, links: Path, new: bool, sheet: "Pseudonymised | None"
) -> dict[str, object]:
    looks = {look.kind: len(look.files) for look in _looks([o for o in outcomes if o.path])}
    return {
        "out": str(out),
        "files": len(outcomes),
        "deidentified": sum(bool(o.path) for o in outcomes),
        "refused": {str(o.number): o.refused for o in outcomes if o.refused},
        "look_at": looks,
        "new_key": new,
        "list": str(links),
        "table": sheet and {"rows": sheet.rows, "joined": sheet.joined, "columns": sheet.columns},
    }


def _tell(
    outcomes: "Sequence[Outcome]",
    out: Path,
    new_key: Path | None,
    links: Path,
    sheet: "Pseudonymised | None",
) -> None:
    """Print what became of the files, for a person."""
    say = sys.stdout.write
    if new_key is not None:
        say(f"new key  {new_key}: who holds it can find the patients again; keep it apart\n")
    through = [o for o in outcomes if o.path]
    say(f"done     {len(through):,} of {len(outcomes):,} files\n")
    refused = [o for o in outcomes if o.refused]
    for outcome in refused[:REFUSED_SHOWN]:
        say(f"refused  file {outcome.number}: {outcome.refused}\n")
    if len(refused) > REFUSED_SHOWN:
        say(f"refused  {len(refused) - REFUSED_SHOWN:,} more, which {FILES} lists\n")
    for look in _looks(through):
        say(f"look at  {len(look.files):,} files, {look.kind}: {look.meaning}\n")
    if sheet is not None:
        _tell_table(sheet, out / TABLE)
    say(f"report   {out / PAGE}\n")
    say(f"list     {links}: which number is which file; keep it with the key\n")


def _tell_table(sheet: "Pseudonymised", place: Path) -> None:
    """Tell which rows join the images, and which columns stay for a person to look at."""
    say = sys.stdout.write
    joined = f"{sheet.joined:,} of {sheet.rows:,} rows are of a patient of the images"
    say(f"table    {place}: {joined}\n")
    if sheet.padded:
        say(f"table    {sheet.padded:,} IDs of patients found but for leading zeros\n")
    for name, what in sheet.columns.items():
        if what.startswith("date, "):
            say(f"table    {name}: {what}\n")
    kept = [name for name, what in sheet.columns.items() if what in ("kept", "age")]
    left = [name for name, what in sheet.columns.items() if what.startswith("left out")]
    if kept:
        say(f"kept     {', '.join(kept)}: see that no cell of them tells who somebody is\n")
    if left:
        say(f"left out {', '.join(left)}\n")
