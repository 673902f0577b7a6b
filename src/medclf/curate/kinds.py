"""Kinds of DICOM series: which image of an exam is meant, where it has several.

The person says so, or names several; else the one kind that nearly every exam has just once is
taken, and a note says so. Of one series that was parted, a stack is meant and not the few slices
that lay among its own, as localisers do.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medclf.curate.problem import count, tell
from medclf.errors import CohortError, SettingError
from medclf.read.dicom.find import Series

NEARLY_ALL = 0.9
SCOUT = 0.5
"""Share of the files of the largest image below which another, as a scout, is not meant."""


def part_pattern(pattern: str | None) -> dict[str, str | None]:
    """Part what is said of series by the images that it names; without names there is one.

    Raises:
        SettingError: a name is given twice.

    Example:
        >>> part_pattern("t1=T1.*3D,flair=FLAIR")
        {'t1': 'T1.*3D', 'flair': 'FLAIR'}
        >>> part_pattern("TE=30")
        {'image': 'TE=30'}
    """
    parts = [part.partition("=") for part in re.split(r",(?=\s*\w+=)", pattern or "")]
    names = [name.strip() for name, _, _ in parts]
    if len(parts) == 1 or not re.fullmatch(r"\w+", names[0]):
        return {"image": pattern}
    if len({*names}) < len(names):
        raise SettingError(f"--series {pattern!r}: each name once wanted")
    return {name: regex for name, (_, _, regex) in zip(names, parts, strict=True)}


@dataclass(frozen=True)
class Chosen:
    """The images of exams.

    Args:
        images: By exam and name, without exams that have none.
        notes: What was inferred and left out, in sentences.
        kind: A pattern of the kind that was taken of several, where the person did not say it.
    """

    images: Mapping[str, Mapping[str, Series]]
    notes: tuple[str, ...] = ()
    kind: str | None = None


def choose_images(
    exams: Mapping[str, Sequence[Series]],
    pattern: str | None,
    where: str,
    usual: str | None = None,
) -> Chosen:
    """Choose the images of each exam, one for each name in a pattern, as far as they are there.

    Args:
        exams: The series of each.
        pattern: A regular expression, searched in modality and description, whatever the case;
            `None` for the kind that nearly every exam has just once; or several by name, as
            "t1=T1,flair=FLAIR".
        where: The table or folder, for messages.
        usual: The pattern of a kind, for where none is said and exams have several images.

    Raises:
        CohortError: exams have several that may be meant by a name, or one by two names.
        SettingError: a pattern is no regular expression.
    """
    exams, notes = _leave_out_scouts(exams)
    if pattern is None and any(len(series) > 1 for series in exams.values()):
        pattern = usual
    named, chosen = part_pattern(pattern), dict[str, dict[str, Series]]()
    kind: str | None = None
    for image, one in named.items():
        found, told, kind = _choose(exams, one, where if len(named) == 1 else f"{where}: {image}")
        notes += told
        absent = [exam for exam in exams if exam not in found]
        if absent and len(named) > 1:
            notes.append(f"No {image} of {count(len(absent), 'exam')}.")
        elif absent and one is not None:
            fits = f"{count(len(absent), 'exam')} with no series that fits --series {one!r}"
            notes.append(f"{fits}, left out: {tell(absent)}.")
        for exam, series in found.items():
            there = chosen.setdefault(exam, {})
            if other := next((name for name, taken in there.items() if taken is series), ""):
                raise CohortError(
                    f"{where}: other series for {other} than for {image} wanted, found "
                    f"{kind_of(series)!r} for both"
                )
            there[image] = series
    return Chosen(chosen, tuple(notes), None if kind is None else f"^{re.escape(kind)}$")


def _leave_out_scouts(
    exams: Mapping[str, Sequence[Series]],
) -> tuple[dict[str, Sequence[Series]], list[str]]:
    """Leave out what lies in one series with an image of more than twice as many files; note it."""
    kept, scouts = dict[str, Sequence[Series]](), list[str]()
    for exam, series in exams.items():
        uids = {one.uid for one in series} - {""}
        most = {uid: max(one.files for one in series if one.uid == uid) for uid in uids}
        kept[exam] = [one for one in series if one.files >= SCOUT * most.get(one.uid, 0)]
        scouts += [exam] * (len(series) - len(kept[exam]))
    told = f"Left out: {count(len(scouts), 'image')} of few files within larger series"
    return kept, [f"{told}, as localisers are: {tell(dict.fromkeys(scouts))}."] if scouts else []


def _choose(
    exams: Mapping[str, Sequence[Series]], pattern: str | None, where: str
) -> tuple[dict[str, Series], list[str], str | None]:
    """Choose one series of each exam that has any; tell the kind where it was chosen of several."""
    if pattern is not None:
        exams = {name: _matching(series, pattern) for name, series in exams.items()}
    exams = {name: series for name, series in exams.items() if series}
    if all(len(series) == 1 for series in exams.values()):
        return {name: series[0] for name, series in exams.items()}, [], None
    kinds = Counter(kind for series in exams.values() for kind in map(kind_of, series))
    best = _usual_kind(exams) if pattern is None else None
    if best is None:
        several = sum(len(series) > 1 for series in exams.values())
        told = tell((f"{kind!r} ({n})" for kind, n in kinds.most_common()), most=6)
        raise CohortError(
            f"{where}: one image of each exam wanted, more found in {several:,} of "
            f"{count(len(exams), 'exam')}: {told}; choose with --series, which can name several"
        )
    chosen = {
        name: one
        for name, series in exams.items()
        for one in series
        if kind_of(one) == best and sum(kind_of(other) == best for other in series) == 1
    }
    others = tell((f"{kind!r} ({n})" for kind, n in kinds.most_common() if kind != best), most=6)
    note = (
        f"Of several series the one called {best!r} is read, which {len(chosen):,} of "
        f"{len(exams):,} exams have once"
    )
    notes = [f"{note}; not {others}. Others can be chosen with --series." if others else f"{note}."]
    return chosen, [*notes, *_tell_not_once(exams, chosen, best)], best


def _tell_not_once(
    exams: Mapping[str, Sequence[Series]], chosen: Mapping[str, Series], kind: str
) -> list[str]:
    """Note which exams are left out, since they have a kind several times or not at all."""
    without = [name for name in exams if name not in chosen]
    several = [name for name in without if any(kind_of(one) == kind for one in exams[name])]
    none = [name for name in without if name not in several]
    return [
        f"{count(len(some), 'exam')} with {what} {kind!r}, left out: {tell(some)}."
        for some, what in ((several, "several"), (none, "no"))
        if some
    ]


def _usual_kind(exams: Mapping[str, Sequence[Series]]) -> str | None:
    """Tell which kind nearly every exam has just once, if there is one such that is no scout."""
    files: Counter[str] = Counter()
    once: Counter[str] = Counter()
    for series in exams.values():
        here = Counter(map(kind_of, series))
        once.update(kind for kind, n in here.items() if n == 1)
        files.update({kind_of(one): one.files for one in series})
    usual = [kind for kind in once if once[kind] >= NEARLY_ALL * len(exams)]
    most = max((files[kind] for kind in usual), default=0)
    rivals = [kind for kind in usual if files[kind] >= SCOUT * most]
    return rivals[0] if len(rivals) == 1 else None


def expect_fit(exams: Mapping[str, Sequence[Series]], pattern: str | None, where: str) -> None:
    """Refuse what is said of series where it fits none of any exam.

    Raises:
        CohortError: none fits.
        SettingError: it is no regular expression.
    """
    every = [series for some in exams.values() for series in some]
    wanted = part_pattern(pattern).values()
    if every and not any(one is None or _matching(every, one) for one in wanted):
        kinds = Counter(map(kind_of, every)).most_common()
        told = tell((f"{kind!r} ({n})" for kind, n in kinds), most=6)
        raise CohortError(f"{where}: --series {pattern!r} fits no series, found {told}")


def _matching(series: Sequence[Series], pattern: str) -> list[Series]:
    try:
        return [one for one in series if re.search(pattern, kind_of(one), re.IGNORECASE)]
    except re.error as problem:
        raise SettingError(f"--series {pattern!r}: {problem}") from problem


def kind_of(series: Series) -> str:
    """Name a kind of series, by which those of different patients can be compared."""
    return f"{series.modality} {series.description}".strip() or "series"
