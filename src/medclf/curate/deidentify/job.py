"""One file of many: read, de-identified, and laid down under its number until it gets its place."""

from pathlib import Path

from medclf.core.record import Source
from medclf.core.remark import Remark
from medclf.curate.deidentify.dicom import deidentify_dicom
from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.others import deidentify_other, is_other
from medclf.curate.deidentify.outcome import Outcome
from medclf.errors import MedclfError, ReadError
from medclf.read.archive import is_archive, read_bytes

_MARK = slice(128, 132)


def part_path(folder: Path, number: int) -> Path:
    """Name the file in which a result waits."""
    return folder / f".{number}.part"


def do_job(
    number: int, source: Source, name: str, key: Key, options: Options, folder: Path
) -> Outcome:
    """De-identify one file into a folder, or tell why it is refused.

    Args:
        number: By which messages call it, since its name may tell who it is.
        source: Where it is.
        name: Where it lies in what was given.
        key: Where pseudonyms come from.
        options: What stays and what is cleaned.
        folder: In which the result waits.
    """
    where = f"file {number}"
    try:
        if not source.member and source.path.is_symlink():
            raise ReadError(f"{where}: a link, which is not followed")
        raw = _read(source, where)
        if raw[_MARK] != b"DICM" and is_other(raw):
            if not options.others:
                raise ReadError(f"{where}: no DICOM file; --others takes PNG, JPEG and NIfTI")
            kind, path, clean = deidentify_other(raw, name, key, where)
            part_path(folder, number).write_bytes(clean)
            remark = Remark("metadata stripped", kind)
            return Outcome(number, path, kind=kind, remarks=(remark,))
        done = deidentify_dicom(raw, key, options, where)
    except MedclfError as problem:
        return Outcome(number, refused=str(problem).removeprefix(f"{where}: "))
    part_path(folder, number).write_bytes(done.raw)
    return Outcome(
        number,
        done.path,
        done.patient,
        born=done.born,
        kind="DICOM",
        modality=done.modality,
        changed=done.changed,
        masked=done.masked,
        remarks=done.remarks,
        accession=done.accession,
        traces=done.traces,
    )


def _read(source: Source, where: str) -> bytes:
    """Read the bytes; the name of the file stays out of the message."""
    if source.path.is_dir():
        raise ReadError(f"{where}: a folder that cannot be opened")
    if not source.member and is_archive(source.path):
        raise ReadError(f"{where}: an archive: unpack it, or give it by itself")
    try:
        return read_bytes(source)
    except ReadError as problem:
        reason = str(problem).replace(str(source), "").replace(str(source.path), "").lstrip(": ")
        raise ReadError(f"{where}: {reason}") from problem
