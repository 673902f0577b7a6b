"""Numbers that a spreadsheet has taken leading zeros from are found among those of the headers.

Each cell is judged by itself. What may be two numbers, once zeros were lost in the sheet, is taken
for neither.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping

from medclf.curate.problem import count, tell


def match(cells: Collection[str], there: Collection[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Tell what each cell means of what is there, as it stands or but for leading zeros.

    Returns:
        What cells mean, and the cells that may mean several.

    Example:
        >>> match(["7", "12", "x"], ["007", "012", "12"])
        ({'7': '007'}, ('12',))
        >>> match(["12", "x"], ["012", "12"])
        ({'12': '12'}, ())
    """
    bare: dict[str, list[str]] = defaultdict(list)
    for value in there:
        if value.isdecimal():
            bare[value.lstrip("0") or "0"].append(value)
    lost = any(cell in bare and cell not in there for cell in cells)
    found = {
        cell: [cell] if cell in there and not (lost and cell in bare) else bare.get(cell, [])
        for cell in cells
    }
    meant = {cell: some[0] for cell, some in found.items() if len(some) == 1}
    return meant, tuple(sorted(cell for cell, some in found.items() if len(some) > 1))


def pad(cell: str, header: str) -> str:
    """Write a number as a header does, where the two differ by leading zeros alone.

    Example:
        >>> pad("7", "007"), pad("8", "007"), pad("07", "007")
        ('007', '8', '07')
    """
    return match([cell], [header])[0].get(cell, cell)


def tell_padded(meant: Mapping[str, str], doubtful: Collection[str]) -> list[str]:
    """Note cells that mean a number with more zeros, and those that may mean several."""
    notes = []
    if padded := {cell: number for cell, number in meant.items() if cell != number}:
        cell, number = min(padded.items())
        told = count(len(padded), "number")
        forms = f"one like {form_of(cell)} is taken for {form_of(number)}"
        notes.append(f"{told} of the sheet found but for leading zeros: {forms}.")
    if doubtful:
        told = count(len(doubtful), "number")
        notes.append(
            f"{told} of the sheet may each be several of the headers, which differ by leading "
            f"zeros alone, and no image is taken: {tell(doubtful)}."
        )
    return notes


def form_of(value: str) -> str:
    """Show how a number is written, but not whose it is.

    Example:
        >>> form_of("Ab-0071")
        "'Aa-0099'"
    """
    for kind, instead in (("[1-9]", "9"), ("[A-Z]", "A"), ("[a-z]", "a")):
        value = re.sub(kind, instead, value)
    return repr(value)
