"""What the images alone tell is wrong: unreadable, empty, or of several kinds."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from medclf.core.remark import Remark
from medclf.curate.problem import Problem, count, tell
from medclf.curate.remarked import check_remarks
from medclf.curate.survey import Look


def check_looks(looks: Sequence[Look]) -> list[Problem]:
    """Find what is wrong with the images of a cohort, each by itself and all beside each other."""
    seen = [look for look in looks if not look.failure]
    return [
        *_check_unreadable(looks),
        *_check_constant(seen),
        *_check_mixed(seen),
        *_check_remarks(seen),
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


def _check_remarks(looks: Sequence[Look]) -> list[Problem]:
    by_exam: dict[str, list[Remark]] = defaultdict(list)
    for look in looks:
        by_exam[look.exam] += look.remarks
    return check_remarks(by_exam, quote=True)


def _mixed(kind: str, looks: Sequence[Look], words: Sequence[str]) -> Iterator[Problem]:
    counts = Counter(words).most_common()
    if len(counts) > 1:
        told = tell((f"{count(n, 'image')} of {word}" for word, n in counts), most=5)
        what = kind.removeprefix("mixed_").replace("dims", "dimensions")
        others = [x for x, word in zip(looks, words, strict=True) if word != counts[0][0]]
        yield Problem(kind, kind == "mixed_dims", f"{what} differ: {told}", _exams(others))


def _exams(looks: Sequence[Look]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(look.exam for look in looks))
