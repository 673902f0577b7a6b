"""Images that a reader changed on the way, or that a person should look at before they are used."""

from collections.abc import Iterable, Mapping

from medclf.core.remark import Remark
from medclf.curate.problem import Problem, count, merge, tell


def check_remarks(remarks: Mapping[str, Iterable[Remark]], quote: bool = False) -> list[Problem]:
    """Tell which exams bear remarks of a reader.

    Args:
        remarks: By the name of the exam.
        quote: Give the first message of each kind as well, which may name files and series.

    Returns:
        At most one problem of each of the kinds doubtful_image and changed_image: those that a
        person should look at, and the others.
    """
    problems = []
    for grave, kind, why in (
        (True, "doubtful_image", "with images to look at before use"),
        (False, "changed_image", "with images that reading has changed or chosen"),
    ):
        found: dict[str, dict[str, str]] = {}
        for exam, some in remarks.items():
            for remark in some:
                if remark.grave is grave:
                    found.setdefault(remark.kind, {}).setdefault(exam, remark.message)
        if found:
            told = "; ".join(_tell(word, exams, quote) for word, exams in found.items())
            every = merge(tuple(exams) for exams in found.values())
            problems.append(
                Problem(kind, False, f"{count(len(every), 'exam')} {why}: {told}", every)
            )
    return problems


def _tell(word: str, exams: Mapping[str, str], quote: bool) -> str:
    """Count the exams that bear one word, and name the first."""
    said = f" ({next(iter(exams.values()))})" if quote else ""
    return f"{word}{said} in {len(exams):,}, {tell(exams)}"
