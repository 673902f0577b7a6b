"""Every file below a folder or in a zip, one line each: what was read of it, changed, or refused.

An export holds more than images, and an image may lie in hundreds of files. Here nothing goes
without a line: the files of a series share what was found in it, and what is no image has a
reason.
"""

import csv
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, fields, replace
from io import StringIO
from pathlib import Path

from medclf.core.image import Image
from medclf.core.record import Record, Source
from medclf.core.remark import Remark
from medclf.core.threads import in_order
from medclf.errors import MedclfError
from medclf.read.dicom.find import Series, find_series
from medclf.read.dicom.glance import LeftOut
from medclf.read.image import is_image, read_image

Progress = Callable[[int, int], None]

NO_DICOM = "no DICOM file"


@dataclass(frozen=True)
class FileLine:
    """What became of one file. Every value is a word; "" where there is nothing to tell.

    Args:
        file: Its name below the folder, or in the zip.
        series: SeriesInstanceUID, and what parts it from other images of its series.
        files: In how many files the image lies.
        exam: Of the cohort, to which it belongs; "" where it is not used.
        modality: The DICOM code.
        size: Samples along each axis of the image, z first, phases before them.
        channels: Of the image.
        spacing_mm: Along each axis.
        unit: Of the values.
        changed: What the reader found or changed.
        refused: Why no image was read.
    """

    file: str
    series: str = ""
    files: str = "1"
    exam: str = ""
    modality: str = ""
    size: str = ""
    channels: str = ""
    spacing_mm: str = ""
    unit: str = ""
    changed: str = ""
    refused: str = ""


def trace_files(
    root: Path, records: tuple[Record, ...] = (), progress: Progress | None = None
) -> list[FileLine]:
    """Read every image below a folder or in a zip, and tell of every file.

    Args:
        root: The folder or zip.
        records: Of the cohort that was read from it, to tell which files are used.
        progress: Called with the images done and their total.

    Raises:
        ReadError: it is neither, or damaged.
    """
    found = find_series(root)
    exams = _exams(records)
    others = {f.source for f in found.left_out if f.reason == NO_DICOM and _is_image(f.source)}
    images = [*found.series, *(Series(s, "", "", "", "", "", "") for s in sorted(others))]
    lines = [
        FileLine(_name(file.source, root), refused=_reason(file))
        for file in found.left_out
        if file.source not in others
    ]
    with closing(in_order(_trace, images)) as traced:
        for done, (series, line) in enumerate(zip(images, traced, strict=True), 1):
            for part in series.source.parts or (series.source,):
                exam = exams.get(part, exams.get(series.source, ""))
                lines.append(replace(line, file=_name(part, root), exam=exam))
            if progress is not None:
                progress(done, len(images))
    return sorted(lines, key=lambda line: line.file)


def format_lines(lines: list[FileLine]) -> str:
    """Write lines as CSV."""
    text = StringIO()
    names = [field.name for field in fields(FileLine)]
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    table.writerows([getattr(line, name) for name in names] for line in lines)
    return text.getvalue()


def _exams(records: tuple[Record, ...]) -> Mapping[Source, str]:
    """Find the exam of every file that a cohort uses."""
    return {
        part: record.name
        for record in records
        for source in record.images.values()
        for part in (source, *source.parts)
    }


def _is_image(source: Source) -> bool:
    """Tell whether a file that is no DICOM should be an image of another form."""
    try:
        return is_image(source)
    except MedclfError:
        return False


def _reason(file: LeftOut) -> str:
    return "no image" if file.reason == NO_DICOM else file.reason


def _trace(series: Series) -> FileLine:
    """Read an image, and tell what came out."""
    about = ", ".join(filter(None, (series.uid, series.source.member if series.uid else "")))
    count = str(max(1, len(series.source.parts)))
    line = FileLine("", about, count, modality=series.modality)
    try:
        image = read_image(series.source)
    except MedclfError as problem:
        return replace(line, changed=_tell(series.source.remarks), refused=str(problem))
    return _describe(line, image)


def _describe(line: FileLine, image: Image) -> FileLine:
    phases = (len(image.phases),) if image.phases else ()
    spacing = image.grid.spacing_mm
    return replace(
        line,
        modality=image.modality or line.modality,
        size=" × ".join(map(str, (*phases, *image.space))),
        channels=str(image.channels),
        spacing_mm="" if spacing is None else " × ".join(f"{mm:.4g}" for mm in spacing),
        unit=image.unit,
        changed=_tell(image.remarks),
    )


def _tell(remarks: tuple[Remark, ...]) -> str:
    return "; ".join(f"{remark.kind}: {remark.message}" for remark in remarks)


def _name(source: Source, root: Path) -> str:
    """Name a file below its folder, or in its zip."""
    if source.member:
        return source.member
    inside = source.path.is_relative_to(root) and source.path != root
    return (source.path.relative_to(root) if inside else source.path).as_posix()
