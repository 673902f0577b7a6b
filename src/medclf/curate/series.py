"""DICOM series as the images of exams: the files of a volume joined, and one series chosen of many.

Scanners export a volume as hundreds of files, and a study as several series. Files that make one
image count as one. Where an exam has several images, the person says which is meant, or names
several; else the one kind of series that nearly every exam has just once is taken, and a note says
so.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os.path import commonpath
from pathlib import Path

from medclf.core.record import Source
from medclf.curate.folder import Listing
from medclf.curate.headers import may_be_dicom
from medclf.curate.problem import count, tell
from medclf.errors import CohortError, ReadError, SettingError
from medclf.read.dicom.find import Found, Series, find_series, sort_files
from medclf.read.dicom.glance import LeftOut

NEARLY_ALL = 0.9
SCOUT = 0.5
"""Share of the files of the largest series below which another, as a scout, is not meant."""

NO_PICTURE = "holds no picture"


def join_files(listing: Listing) -> tuple[Listing, list[str]]:
    """Make one image of the DICOM files of each volume; what holds no picture is left out.

    Returns:
        The listing, in which a volume bears the name of the folder of its files, and notes.
    """
    names = {source: name for name, source in listing.images.items() if may_be_dicom(source)}
    if not names:
        return listing, []
    found = sort_files(listing.root, list(names))
    silent = {file.source for file in found.left_out if file.reason.startswith(NO_PICTURE)}
    images = {name: s for name, s in listing.images.items() if s not in names}
    images |= {names[f.source]: f.source for f in found.left_out if f.source not in silent}
    volumes = 0
    for series in found.series:
        if not series.source.parts:
            images[names[series.source]] = series.source
            continue
        volumes += 1
        inside = [names[part].rpartition("/")[0] for part in series.source.parts]
        folder = commonpath(inside) if all(inside) else ""
        name = series.description.replace("/", " ") or "series"  # A slash would part folders.
        images[free_name(f"{folder}/{name}" if folder else name, images)] = series.source
    notes = tell_left_out(f for f in found.left_out if f.source in silent)
    if volumes:
        files = sum(len(series.source.parts) for series in found.series)
        notes.append(
            f"{files:,} DICOM files are slices of {count(volumes, 'volume')}; --slices takes each "
            "file as an exam."
        )
    return replace(listing, images=dict(sorted(images.items()))), notes


def free_name(name: str, taken: Mapping[str, Source]) -> str:
    """Add a number to a name that is taken."""
    names = (name if n == 1 else f"{name} ({n})" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def read_folder(folder: Path, pattern: str | None) -> Source | None:
    """Find the one image in a folder of DICOM files; `None` where there is none.

    Raises:
        CohortError: there are several, and no pattern tells which is meant.
        SettingError: the pattern names several.
    """
    _expect_one(folder, pattern)
    return next(iter(_read_images(folder, pattern).values()), None)


def _read_images(folder: Path, pattern: str | None) -> dict[str, Source]:
    exams = {folder.name: series} if (series := find_series(folder).series) else {}
    chosen, _ = choose_images(exams, pattern, str(folder))
    return {image: one.source for some in chosen.values() for image, one in some.items()}


def find_images(path: Path, pattern: str | None) -> dict[str, Source]:
    """Take a file as it is, and a folder as the volumes whose DICOM files lie in it, by name.

    Raises:
        CohortError: the folder holds several images, and no pattern tells which is meant.
        ReadError: it holds none.
    """
    if not path.is_dir():
        return {"image": Source(path)}
    if found := _read_images(path, pattern):
        return found
    told = "".join(f". {note}" for note in tell_left_out(find_series(path).left_out))
    raise ReadError(f"{path}: a file, or a folder with the DICOM files of a volume, wanted{told}")


def find_image(path: Path, pattern: str | None) -> Source:
    """Do so where there is one image.

    Raises:
        SettingError: the pattern names several.
    """
    _expect_one(path, pattern)
    (found,) = find_images(path, pattern).values()
    return found


def _expect_one(path: Path, pattern: str | None) -> None:
    if len(part_pattern(pattern)) > 1:
        raise SettingError(f"{path}: one series wanted here, --series {pattern!r} names several")


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


def choose_images(
    exams: Mapping[str, Sequence[Series]], pattern: str | None, where: str
) -> tuple[dict[str, dict[str, Series]], list[str]]:
    """Choose the images of each exam, one for each name in a pattern, as far as they are there.

    Args:
        exams: The series of each.
        pattern: As `choose_series` takes it, or several of them by name, as "t1=T1,flair=FLAIR".
        where: The table or folder, for messages.

    Returns:
        The series by exam and name, without exams that have none of them, and notes.

    Raises:
        CohortError: exams have several that may be meant by a name, or one by two names.
        SettingError: a pattern is no regular expression.
    """
    named, chosen, notes = part_pattern(pattern), dict[str, dict[str, Series]](), list[str]()
    for image, one in named.items():
        found, told = choose_series(exams, one, where if len(named) == 1 else f"{where}: {image}")
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
    return chosen, notes


def choose_series(
    exams: Mapping[str, Sequence[Series]], pattern: str | None, where: str
) -> tuple[dict[str, Series], list[str]]:
    """Choose one series of each exam.

    Args:
        exams: The series of each.
        pattern: A regular expression, searched in modality and description, whatever the case;
            `None` to take the kind that nearly every exam has just once.
        where: The table or folder, for messages.

    Returns:
        The series by exam, without those that have none of this kind, and notes.

    Raises:
        CohortError: exams have several that may be meant.
        SettingError: the pattern is no regular expression.
    """
    if pattern is not None:
        exams = {name: _matching(series, pattern) for name, series in exams.items()}
    exams = {name: series for name, series in exams.items() if series}
    if all(len(series) == 1 for series in exams.values()):
        return {name: series[0] for name, series in exams.items()}, []
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
    return chosen, [*notes, *_tell_not_once(exams, chosen, best)]


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


def by_key(found: Found, key: str) -> dict[str, list[Series]]:
    """Group series by what a table may name of them.

    Args:
        found: All of them.
        key: "uid", "study", "accession" or "patient".
    """
    groups: dict[str, list[Series]] = defaultdict(list)
    for series in found.series:
        if value := getattr(series, key):
            groups[value].append(series)
    return dict(groups)


def tell_left_out(files: Iterable[LeftOut]) -> list[str]:
    """Note how many files are no images, and why."""
    reasons = Counter(file.reason for file in files)
    if not reasons:
        return []
    told = tell((f"{reason} ({n:,})" for reason, n in reasons.most_common()), most=4)
    return [f"Left out: {count(sum(reasons.values()), 'file')}: {told}."]
