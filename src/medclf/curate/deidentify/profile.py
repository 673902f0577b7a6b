"""The standard's table of attributes: what becomes of each, alone and under every option.

`profile.csv` holds the table as it stands in the standard, one attribute a line. Where it leaves a
choice that hangs on the kind of object (X/Z/D), the action is taken that is valid in all of them:
a dummy before an empty value before removal; of sequences, an empty one before removal.

Source: DICOM PS3.15 2026d, table E.1-1 and table E.1-1a.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Action = Literal["X", "Z", "D", "U", "K", "C"]
"""Remove, empty, dummy, replace the UID, keep, clean."""

EDITION = "2026d"
_DATES = frozenset({"full_dates", "shifted_dates"})
_STRONGEST: tuple[Action, ...] = ("U", "D", "Z", "X")


@dataclass(frozen=True)
class Rule:
    """A line of the table.

    Args:
        tag: Eight hexadecimal digits, X for any; or PRIVATE.
        name: The attribute's keyword.
        basic: The action of the basic profile, as `X/Z/D`.
        options: The action under an option, by the option's column.
    """

    tag: str
    name: str
    basic: str
    options: Mapping[str, str]

    def action(self, columns: tuple[str, ...], sequence: bool = False) -> Action:
        """Choose the action, given the columns of the options.

        Dates go by what is chosen of dates alone: a scanner that keeps the day of its calibration,
        as part of the device, would tell the day of the exam.

        Example:
            >>> rule = Rule("00080023", "ContentDate", "Z/D", {"shifted_dates": "C"})
            >>> rule.action(()), rule.action(("shifted_dates",))
            ('D', 'C')
        """
        if _DATES & self.options.keys():
            columns = tuple(_DATES.intersection(columns))
        asked = {self.options[column] for column in columns if column in self.options}
        for action in ("C", "K"):
            if action in asked:
                return action
        choices = self.basic.rstrip("*").split("/")
        order = ("U", "Z", "X", "D") if sequence else _STRONGEST
        return next(action for action in order if action in choices)


@cache
def load_profile() -> dict[str, Rule]:
    """Read the table: its rules by their tags."""
    text = (files("medclf.curate.deidentify") / "profile.csv").read_text("utf-8")
    rules = {}
    for row in csv.DictReader(text.splitlines()):
        options = {column: row[column] for column in list(row)[3:] if row[column]}
        rules[row["tag"]] = Rule(row["tag"], row["name"], row["basic"], options)
    return rules


def find_rule(tag: int) -> Rule | None:
    """Find the rule of a public attribute; `None` where the table does not name it.

    All of a group of curves or overlays goes the way of its data.

    Example:
        >>> find_rule(0x60023000).name, find_rule(0x00280010)
        ('OverlayData', None)
    """
    rules, digits = load_profile(), f"{tag:08X}"
    if digits in rules:
        return rules[digits]
    if digits.startswith("50"):
        return rules["50XXXXXX"]
    if digits.startswith("60"):
        return rules.get(f"60XX{digits[4:]}", rules["60XX3000"])
    return None
