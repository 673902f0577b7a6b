"""What the images alone tell is wrong: unreadable, empty, of several kinds, or telling too much.

A shortcut is a fact that is no disease but nearly gives the class away: one hospital's sick
patients have larger images, or its healthy ones are stored in colours. A network learns it first.
We look for the class that each value of the fact bears most, and count how often it is right for
an exam that was not counted itself: a chance likeness in few exams helps nothing.

Source: Zech et al. Variable generalization performance of a deep learning model to detect
pneumonia in chest radiographs. PLOS Medicine 2018, for what shortcuts do.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence

from medclf.core.cohort import Cohort
from medclf.curate.bookkeeping import is_missing
from medclf.curate.problem import Problem, count, tell
from medclf.curate.survey import Look

FEWEST = 40
HALVED = 0.5


def check_looks(cohort: Cohort, looks: Sequence[Look]) -> list[Problem]:
    """Find what is wrong with the images of a cohort, each by itself and all beside each other."""
    seen = [look for look in looks if not look.failure]
    return [
        *_check_unreadable(looks),
        *_check_constant(seen),
        *_check_mixed(seen),
        *_check_shortcuts(cohort, seen),
    ]


def _check_unreadable(looks: Sequence[Look]) -> Iterator[Problem]:
    failed = [look for look in looks if look.failure]
    if failed:
        message = f"{count(len(failed), 'image')} unreadable: {tell(x.failure for x in failed)}"
        yield Problem("unreadable", True, message, _exams(failed))


def _check_constant(looks: Sequence[Look]) -> Iterator[Problem]:
    empty = [look for look in looks if look.constant]
    if empty:
        message = f"{count(len(empty), 'image')} of one value throughout: {tell(_exams(empty))}"
        yield Problem("constant_image", False, message, _exams(empty))


def _check_mixed(looks: Sequence[Look]) -> Iterator[Problem]:
    """Compare images of one name; an exam may well hold a scan and a photograph."""
    by_name: dict[str, list[Look]] = defaultdict(list)
    for look in looks:
        by_name[re.sub(r"_\d+$", "", look.image)].append(look)
    for some in by_name.values():
        yield from _mixed("mixed_dims", some, [f"{len(x.space)}D" for x in some])
        yield from _mixed("mixed_channels", some, [count(x.channels, "channel") for x in some])
        yield from _mixed("mixed_modality", some, [x.modality or "not stated" for x in some])


def _mixed(kind: str, looks: Sequence[Look], words: Sequence[str]) -> Iterator[Problem]:
    counts = Counter(words).most_common()
    if len(counts) > 1:
        told = tell((f"{count(n, 'image')} of {word}" for word, n in counts), most=5)
        what = kind.removeprefix("mixed_").replace("dims", "dimensions")
        others = [x for x, word in zip(looks, words, strict=True) if word != counts[0][0]]
        yield Problem(kind, kind == "mixed_dims", f"{what} differ: {told}", _exams(others))


def _check_shortcuts(cohort: Cohort, looks: Sequence[Look]) -> Iterator[Problem]:
    """Ask of each fact how well it alone would classify."""
    if cohort.task.kind == "coexisting":
        return
    first = {look.exam: look for look in reversed(looks)}
    told = []
    for name, values in _facts(cohort, first).items():
        labels = {r.name: r.label for r in cohort.records if isinstance(r.label, int)}
        known = [(value, labels[exam]) for exam, value in values.items() if exam in labels]
        accuracy, commonest = _foretell(known)
        if len(known) >= FEWEST and 1 - accuracy <= HALVED * (1 - commonest) and commonest < 1:
            told.append(f"{name} (right in {accuracy:.0%}, the commonest class in {commonest:.0%})")
    if told:
        message = f"what is no disease nearly gives the class away: {tell(told)}"
        yield Problem("shortcut", False, message)


def _facts(cohort: Cohort, first: Mapping[str, Look]) -> dict[str, dict[str, Hashable]]:
    """List each fact's values by exam: those of the images, and the table's facts in words."""
    facts: dict[str, dict[str, Hashable]] = {
        "image size": {name: look.space for name, look in first.items()},
        "channels": {name: look.channels for name, look in first.items()},
        "bit depth": {name: look.bits for name, look in first.items()},
        "modality": {name: look.modality for name, look in first.items()},
        "spacing": {name: look.spacing_mm for name, look in first.items()},
    }
    for record in cohort.records:
        for name, value in record.facts.items():
            if isinstance(value, str) or is_missing(value):
                facts.setdefault(name, {})[record.name] = value if isinstance(value, str) else ""
    return facts


def _foretell(known: Sequence[tuple[Hashable, int]]) -> tuple[float, float]:
    """Foretell each label by the commonest among the others of its value.

    Returns:
        How often that is right, a tie being wrong; and the share of the commonest label of all.
    """
    if not known:
        return 0.0, 1.0
    labels: dict[Hashable, Counter[int]] = defaultdict(Counter)
    for value, label in known:
        labels[value][label] += 1
    every = sum(labels.values(), Counter())
    right = 0
    for counts in labels.values():
        total = counts.total()
        for label, n in counts.items():
            others = every if total == 1 else counts
            rivals = max((m for other, m in others.items() if other != label), default=0)
            right += n * (others[label] - 1 > rivals)
    return right / len(known), max(every.values()) / len(known)


def _exams(looks: Sequence[Look]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(look.exam for look in looks))
