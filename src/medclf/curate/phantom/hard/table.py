"""All hard cases, by what they are cases of."""

from medclf.curate.phantom.hard import (
    containers,
    enhanced,
    gaps,
    mixed,
    order,
    parts,
    syntaxes,
    times,
    values,
)
from medclf.curate.phantom.hard.case import Case

CASES: tuple[Case, ...] = (
    *order.CASES,
    *gaps.CASES,
    *mixed.CASES,
    *times.CASES,
    *enhanced.CASES,
    *parts.CASES,
    *values.CASES,
    *syntaxes.CASES,
    *containers.CASES,
)
