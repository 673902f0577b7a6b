"""The task that labels in words state: which classes, in which order, and how they relate.

Words become class numbers. Words that differ only in spaces or case are refused, not merged.
Classes rank only where their words say so (grade 2, stage III), or where the person does. Of two
classes the usual name of an absence comes first, so that the second, the positive, is the finding.
Whatever is inferred is told in a note.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from medclf.core.record import Record
from medclf.core.task import Kind, Task
from medclf.errors import CohortError, SettingError

Words = str | tuple[str, ...] | None
Label = int | tuple[int, ...] | None

NEGATIVE = re.compile(
    r"(normals?|negative|neg|benign|healthy|controls?|absent|none|no|false|0"
    r"|(no|non|not|without) .+|nofinding)"
)
GRADE = re.compile(
    r"(?P<stem>grade|stage|level|degree|kl|kl grade|kellgren.lawrence|gleason|isup|who"
    r"|bi ?rads|pi ?rads|ti ?rads|li ?rads|lung ?rads) ?(?P<number>\d+|[ivx]+) ?(?P<letter>[a-d]?)"
)
ROMAN = {"i": 1, "v": 5, "x": 10}


@dataclass(frozen=True)
class Worded:
    """What a reader of folders or tables found: records, and beside them their labels in words.

    Args:
        records: Without label, and with the patient "" where nothing has told it yet.
        words: One per record: a class, several that coexist, or `None`.
        notes: What was inferred, in sentences.
        classes: Names in the order in which the data hold them, where they say so: the columns
            of findings. Empty where only the words tell.
        blind: Rows of a table that are exams without an image, which no record stands for: the
            name of each, by its row where no column names it, and where it stands.
        series: By which the kind of DICOM series is chosen again that was chosen of several.
        called: What the rows of a sheet that names no files call each record; else empty.
    """

    records: tuple[Record, ...]
    words: tuple[Words, ...]
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    blind: tuple[tuple[str, str], ...] = ()
    series: str | None = None
    called: tuple[str, ...] = ()


def infer_task(
    labels: Sequence[Words],
    kind: Kind | None = None,
    classes: tuple[str, ...] | None = None,
    *,
    tidy: bool = False,
) -> tuple[Task, list[Label], tuple[str, ...]]:
    """Infer the task from labels in words, and number the labels.

    Args:
        labels: One per exam: a word; "a|b" or a tuple where findings coexist; `None` if unknown.
        kind: As the person says, or `None` to infer it.
        classes: In the order of the class numbers as the person says, or `None` to infer it.
        tidy: Merge labels that differ only in spaces or case.

    Returns:
        The task, a number (or a 0 or 1 per class) for each label, and notes on what was inferred.

    Raises:
        CohortError: there is one class only, labels differ only in spaces or case, are not among
            `classes`, are measurements, or rank in an order that nothing tells.
        SettingError: `kind` is unknown, or `classes` name one twice.

    Example:
        >>> task, numbers, notes = infer_task(["pneumonia", "normal", "pneumonia"])
        >>> task.classes, numbers
        (('normal', 'pneumonia'), [1, 0, 1])
    """
    if kind not in (None, *get_args(Kind)):
        raise SettingError(f"kind is {', '.join(get_args(Kind))}, not {kind!r}")
    notes: list[str] = []
    kind_given = kind is not None
    if kind is None and any(isinstance(label, tuple) or "|" in (label or "") for label in labels):
        kind = "coexisting"
    parts = _spell([_part(label, kind) for label in labels], classes, tidy, notes)
    counts = Counter(word for some in parts if some is not None for word in some)
    if kind == "coexisting":
        task = _coexisting(counts, classes, parts, notes)
        return task, [_mark(some, task) for some in parts], tuple(notes)
    if wrong := next((some for some in parts if some is not None and len(some) != 1), None):
        raise CohortError(f"one class per exam wanted, {len(wrong)} found: {', '.join(wrong)}")
    if () in parts:
        raise CohortError("one class per exam wanted, an exam without any found")
    task = _exclusive(counts, kind, classes, notes, kind_given)
    numbers = {name: number for number, name in enumerate(task.classes)}
    return task, [None if some is None else numbers[some[0]] for some in parts], tuple(notes)


def _part(label: Words, kind: Kind | None) -> tuple[str, ...] | None:
    if label is None or isinstance(label, tuple):
        return label
    if kind == "coexisting":
        return tuple(word for word in label.split("|") if word.strip())
    return (label,)


def _plain(word: str) -> str:
    return " ".join(word.split()).casefold()


def _spell(
    parts: list[tuple[str, ...] | None],
    classes: tuple[str, ...] | None,
    tidy: bool,
    notes: list[str],
) -> list[tuple[str, ...] | None]:
    """Give each word one spelling, or refuse those that have several."""
    counts = Counter(word for some in parts if some is not None for word in some)
    variants: dict[str, list[str]] = {}
    for word in sorted(counts, key=lambda w: (-counts[w], w)):
        variants.setdefault(_plain(word), []).append(word)
    many = [words for words in variants.values() if len(words) > 1]
    if many and not tidy:
        told = "; ".join(", ".join(f"{w!r} ({counts[w]})" for w in words) for words in many[:3])
        raise CohortError(
            f"labels differ only in spaces or case: {told}; mend them or say --tidy-labels"
        )
    given = {_plain(name): name for name in classes or ()} if tidy else {}
    spelling = {
        word: given.get(plain, words[0].strip())
        for plain, words in variants.items()
        for word in words
    }
    changed = [f"{word!r} to {spelling[word]!r}" for word in spelling if spelling[word] != word]
    if changed:
        notes.append(f"Labels tidied: {', '.join(changed)}.")
    return [None if some is None else tuple(spelling[word] for word in some) for some in parts]


def _exclusive(
    counts: Counter[str],
    kind: Kind | None,
    classes: tuple[str, ...] | None,
    notes: list[str],
    kind_given: bool,
) -> Task:
    words = list(counts)
    _refuse_measurements(words)
    if classes:
        _check_named(counts, classes)
        return _told(Task(classes, kind or "exclusive"), "in the order given", notes)
    if len(words) < 2:
        found = ", ".join(f"{word!r} ({counts[word]} exams)" for word in words) or "none"
        raise CohortError(f"two classes or more wanted, found only {found}")
    graded = _graded(words)
    whole = all(word.lstrip("-").isdecimal() for word in words)
    if kind == "ranked" and not (graded or whole):
        raise CohortError(f"ranked classes need their order: say --classes {','.join(words)}")
    if graded and kind != "exclusive" and (kind_given or len(words) > 2):
        return _told(Task(tuple(graded), "ranked"), "their names are grades", notes)
    ordered = graded or (sorted(words, key=int) if whole else sorted(words, key=_sorting))
    if kind == "ranked":
        return _told(Task(tuple(ordered), "ranked"), "ordered by number", notes)
    if len(ordered) == 2:
        return _two(ordered, notes)
    why = "ordered by number; if they rank, say --kind ranked" if whole else "sorted by name"
    return _told(Task(tuple(ordered)), why, notes)


def _two(ordered: list[str], notes: list[str]) -> Task:
    """Put the one usual name of an absence first, so that the positive class is the finding."""
    absent = [word for word in ordered if is_negative(word)]
    if len(absent) == 1:
        ordered = sorted(ordered, key=lambda word: word != absent[0])
        why = f"{absent[0]!r} is a usual name of an absence"
    else:
        why = "sorted by name"
    first, second = ordered
    why += f", so {second!r} is the positive class; to turn it, say --classes {second},{first}"
    return _told(Task((first, second)), why, notes)


def _coexisting(
    counts: Counter[str],
    classes: tuple[str, ...] | None,
    parts: list[tuple[str, ...] | None],
    notes: list[str],
) -> Task:
    """A negative word beside findings means that none is there; it is no finding of its own."""
    absent = {word for word in counts if is_negative(word)} - set(classes or ())
    if wrong := next(
        (some for some in parts if some and absent & set(some) != set(some) and absent & set(some)),
        None,
    ):
        raise CohortError(f"an exam is both without a finding and with one: {'|'.join(wrong)}")
    findings = Counter({word: n for word, n in counts.items() if word not in absent})
    if classes:
        _check_named(findings, classes)
    elif not findings:
        raise CohortError("no finding in any label; at least one wanted")
    if absent:
        notes.append(f"{', '.join(map(repr, sorted(absent)))} is read as: no finding.")
    names = classes or tuple(sorted(findings, key=_sorting))
    why = "in the order given" if classes else "sorted by name"
    if classes and parts and all(some is None or len(some) == 1 for some in parts):
        why += "; each exam has just one: if they exclude each other, say --kind exclusive"
    return _told(Task(names, "coexisting"), why, notes)


def _mark(some: tuple[str, ...] | None, task: Task) -> tuple[int, ...] | None:
    return None if some is None else tuple(int(name in some) for name in task.classes)


def _told(task: Task, why: str, notes: list[str]) -> Task:
    names = [f"{name} ({number})" for number, name in enumerate(task.classes[:12])]
    more = f" and {len(task.classes) - 12} more" if len(task.classes) > 12 else ""
    total = len(task.classes)
    notes.append(f"Task: {task.kind}, {total} classes: {', '.join(names)}{more}; {why}.")
    return task


def _check_named(counts: Counter[str], classes: tuple[str, ...]) -> None:
    if unknown := sorted(set(counts) - set(classes)):
        found = ", ".join(f"{word!r} ({counts[word]})" for word in unknown[:5])
        raise CohortError(f"classes {', '.join(classes)} wanted, found also {found}")


def _refuse_measurements(words: list[str]) -> None:
    numbers = [word for word in words if re.fullmatch(r"-?\d*\.?\d+(e-?\d+)?", word)]
    parts = [word for word in numbers if not word.lstrip("-").isdecimal()]
    if parts and len(numbers) == len(words):
        raise CohortError(
            f"labels look like measurements ({', '.join(parts[:3])}): classes are wanted, "
            "regression is not offered"
        )


def is_negative(word: str) -> bool:
    """Tell whether a class name is a usual name of an absence.

    Example:
        >>> is_negative("No_Finding"), is_negative("nodule")
        (True, False)
    """
    return NEGATIVE.fullmatch(re.sub(r"[_\-\s]+", " ", word.strip().casefold())) is not None


def _sorting(word: str) -> tuple[str, str]:
    return word.casefold(), word


def _graded(words: list[str]) -> list[str]:
    """Order words such as "grade 2" or "stage IIIb" by their number; empty if any is not such."""
    keys: dict[str, tuple[int, str]] = {}
    stems: set[str] = set()
    for word in words:
        found = GRADE.fullmatch(re.sub(r"[_\-\s]+", " ", word.strip().casefold()))
        if found is None:
            return []
        stems.add(found["stem"])
        keys[word] = (_number(found["number"]), found["letter"])
    return sorted(words, key=keys.__getitem__) if len(stems) == 1 else []


def _number(text: str) -> int:
    """Read digits, or a Roman numeral.

    Example:
        >>> _number("4"), _number("iv")
        (4, 4)
    """
    if text.isdecimal():
        return int(text)
    values = [ROMAN[letter] for letter in text]
    following = [*values[1:], 0]
    return sum(-v if v < after else v for v, after in zip(values, following, strict=True))
