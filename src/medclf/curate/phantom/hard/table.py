"""All hard cases, by what they are cases of."""

from medclf.curate.phantom.hard import enhanced, gaps, mixed, order, times
from medclf.curate.phantom.hard.case import Case

CASES: tuple[Case, ...] = (
    *order.CASES,
    *gaps.CASES,
    *mixed.CASES,
    *times.CASES,
    *enhanced.CASES,
)
