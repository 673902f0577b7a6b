"""Whose an exam is, where both a sheet and the headers of its series tell it."""

from collections.abc import Collection, Sequence

from medclf.curate.cells import tidy_cell
from medclf.curate.problem import tell
from medclf.curate.zeros import pad
from medclf.read.dicom.find import Series


def tell_several(series: Sequence[Series]) -> bool:
    """Tell whether headers name several patients, as where two share a number of an exam."""
    return len({one.patient for one in series} - {""}) > 1


def of_patient(series: Sequence[Series], cell: str) -> list[Series]:
    """List the series of the patient that a cell names."""
    return [one for one in series if cell and one.patient == pad(cell, one.patient)]


def write_patients(cells: Sequence[str | None], headers: Sequence[str]) -> list[str | None]:
    """Write patients as headers do where a sheet lost leading zeros; else as they stand.

    Example:
        >>> write_patients(["7", "A", None, "9"], ["007", "B", "008", ""])
        ['007', 'A', None, '9']
    """
    return [
        cell and pad(tidy_cell(cell), header) for cell, header in zip(cells, headers, strict=True)
    ]


def tell_contradicted(
    cells: Sequence[str | None], headers: Sequence[str], known: Collection[str]
) -> list[str]:
    """Note rows whose patient is another one of the headers than that of their image.

    Rows are told by number: whose they are does not belong in notes.

    Args:
        cells: The patient of each row.
        headers: That of its image; "" where there is none.
        known: All patients of the headers.
    """
    wrong = [
        f"row {row}"
        for row, (cell, header) in enumerate(zip(cells, headers, strict=True), start=1)
        if header and tidy_cell(cell) != header and tidy_cell(cell) in known
    ]
    if not wrong:
        return []
    rows = "1 row names" if len(wrong) == 1 else f"{len(wrong):,} rows name"
    return [
        f"{rows} another patient of the headers than the one that the headers of the row's image "
        f"tell: {tell(wrong)}, the header not counted. See that no rows were mixed up."
    ]
