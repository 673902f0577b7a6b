"""Facts about patients as numbers: standardised, words as one number each, what is missing as NaN.

What a number is measured against, and which words are known, is learnt from training exams and
stands in the recipe, so that whoever uses the run reads facts alike.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medclf.core.record import Fact, Record
from medclf.curate.cells import NUMBER
from medclf.curate.joined import DATASET
from medclf.errors import CohortError
from medclf.learn.settings import Facts

WORDS = 12  # the most of one column; the rarest are read as missing
FEWEST = 5  # training exams that must bear a word
MOSTLY = 0.9  # share of numbers in a column from which on the rest of it is read as missing
DIGITS = 6  # kept of a deviation, and as far behind the point of its mean
FAR = 5  # deviations from the mean, beyond which a number is doubted

DOMAINS = (
    *(DATASET, "domain", "modality", "scanner", "manufacturer", "vendor", "model", "device"),
    *("station", "site", "hospital", "centre", "center"),
)
"""Columns that tell domains; the first counts that has several words."""


def choose_facts(records: Sequence[Record], names: Sequence[str]) -> Facts:
    """Choose how facts are read, and learn from exams what they are measured against.

    Args:
        records: Training exams.
        names: Columns; all that hold more than one value where none is named.

    Raises:
        CohortError: a column is not there.
    """
    known = _expect_columns(records, names)
    numbers: list[str] = []
    mean: list[float] = []
    deviation: list[float] = []
    words: list[str] = []
    for name in names or known:
        values = _read_numbers(records, name)
        if not len(values):
            words += _common_words(records, name)
        elif np.ptp(values) > 0:
            spread = float(values.std())
            digits = max(DIGITS, DIGITS - math.floor(math.log10(spread)))
            numbers.append(name)
            mean.append(round(float(values.mean()), digits))
            deviation.append(round(spread, digits))
    return Facts(tuple(numbers), tuple(mean), tuple(deviation), tuple(words))


def choose_domains(records: Sequence[Record]) -> Facts:
    """Choose the column that tells domains of images; none where no column does.

    Of scanners and sites the common ones count; of data sets all: each may have its own classes.

    Args:
        records: Training exams.
    """
    known = {name.lower(): name for record in records for name in record.facts}
    for column in DOMAINS:
        if column in known:
            limits = (None, 1) if column == DATASET else (WORDS, FEWEST)
            words = _common_words(records, known[column], *limits)
            if words:
                return Facts(words=tuple(words))
    return Facts()


def learn_facts(records: Sequence[Record], settings: Facts) -> Facts:
    """Learn anew what facts are measured against, with the columns and words as they are.

    Args:
        records: Training exams.
        settings: Numbers that are alike in all of them keep the measures that stand here. Columns
            of words that are named without a word get those that are common.

    Raises:
        CohortError: a column is not there, or nothing can be learnt from it.
    """
    _expect_columns(records, columns_of(settings))
    stated = tuple(word for word in settings.words if "=" in word)
    bare = tuple(word for word in settings.words if "=" not in word)
    columns = (*settings.numbers, *bare)
    found = choose_facts(records, columns) if columns else Facts()
    measures = {
        name: measure
        for name, measure in _measures(settings).items()
        if len(_read_numbers(records, name))
    }
    measures |= _measures(found)
    for name in columns:
        if name not in (measures if name in settings.numbers else columns_of(found)):
            raise CohortError(f"facts: {_tell_useless(records, name, name in settings.numbers)}")
    mean, deviation = zip(*measures.values(), strict=True) if measures else ((), ())
    return Facts(tuple(measures), mean, deviation, (*stated, *found.words))


def columns_of(settings: Facts) -> list[str]:
    """Name the columns of a table that are read."""
    words = (column.partition("=")[0] for column in settings.words)
    return list(dict.fromkeys((*settings.numbers, *words)))


def encode_facts(records: Sequence[Record], settings: Facts) -> Tensor | None:
    """Write facts as numbers: (N, F) float32, NaN where missing; `None` where none are asked."""
    if not settings.columns:
        return None
    rows = [
        [
            *(
                (_number(record.facts.get(name)) - mean) / deviation
                for name, mean, deviation in zip(
                    settings.numbers, settings.mean, settings.deviation, strict=True
                )
            ),
            *_words(record, settings.words),
        ]
        for record in records
    ]
    return torch.tensor(rows, dtype=torch.float32)


def digest_facts(records: Sequence[Record], settings: Facts, salt: str) -> str:
    """Digest what of the facts is learnt from.

    Args:
        records: All exams, in any order.
        settings: Whose columns count, and no others.
        salt: Without which nobody can try which facts an exam has.
    """
    names = columns_of(settings)
    rows = sorted((r.name, repr([r.facts.get(name) for name in names])) for r in records)
    told = repr((salt, names, rows)).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(told, digest_size=12).hexdigest()


def doubt_facts(record: Record, settings: Facts) -> tuple[str, ...]:
    """Warn of facts that are missing, of another kind than in training, or far from what it saw."""
    missing = [name for name in columns_of(settings) if record.facts.get(name) is None]
    told = [f"not known: {', '.join(missing)}"] if missing else []
    for name, (mean, deviation) in _measures(settings).items():
        fact = record.facts.get(name)
        number = _number(fact)
        if fact is not None and math.isnan(number):
            told.append(f"{name} is {fact!r}, which is no number and not looked at")
        elif abs(number - mean) > FAR * deviation:
            told.append(f"{name} is {number:g}, far from {mean:.4g} ± {deviation:.4g} of training")
    for name in columns_of(Facts(words=settings.words)):
        fact = record.facts.get(name)
        if isinstance(fact, float):
            told.append(f"{name} is {fact:g}, where training had words; it is not looked at")
        elif fact is not None and f"{name}={fact}" not in settings.words:
            told.append(f"{name} is {fact!r}, which training never saw")
    return tuple(told)


def count_doubts(records: Sequence[Record], settings: Facts) -> list[str]:
    """Count exams whose facts `doubt_facts` warns of, in a sentence for each column.

    Example:
        >>> exams = [Record(f"e{n}", {}, "p", facts={"sex": "FM2"[n]}) for n in range(3)]
        >>> count_doubts(exams, Facts(words=("sex=F", "sex=M")))
        ["sex: of 3 exams 1 with what training never saw, as '2'"]
    """
    measures, told = _measures(settings), []
    for name in columns_of(settings):
        facts = [record.facts.get(name) for record in records]
        there = [fact for fact in facts if fact is not None]
        if name in measures:
            mean, deviation = measures[name]
            odd = [fact for fact in there if math.isnan(_number(fact))]
            far = [fact for fact in there if abs(_number(fact) - mean) > FAR * deviation]
        else:
            known = {
                word.partition("=")[2] for word in settings.words if word.startswith(f"{name}=")
            }
            odd, far = [fact for fact in there if fact not in known], []
        counts = (
            (len(facts) - len(there), "without"),
            (len(odd), f"with what training never saw, as {odd[0]!r}" if odd else ""),
            (len(far), "far from those of training"),
        )
        if some := [f"{number} {what}" for number, what in counts if number]:
            told.append(f"{name}: of {len(facts)} exams {', '.join(some)}")
    return told


def _measures(settings: Facts) -> dict[str, tuple[float, float]]:
    """Give what each number is measured against; nothing where that is still to be learnt."""
    measured = zip(settings.mean, settings.deviation, strict=True)
    return dict(zip(settings.numbers, measured, strict=False))


def _tell_useless(records: Sequence[Record], name: str, number: bool) -> str:
    """Say what was wanted of a column, and what was found."""
    cells = [fact for r in records if (fact := r.facts.get(name)) is not None]
    odd = [cell for cell in cells if np.isnan(_number(cell))] if number else cells
    told = repr((odd or cells)[0]) if cells else "none"
    kind = "numbers" if number else f"two words that {FEWEST} exams bear each"
    return f"{kind} that differ wanted in the column {name!r} of training exams, found {told}"


def _common_words(
    records: Sequence[Record], name: str, most: int | None = WORDS, fewest: int = FEWEST
) -> list[str]:
    """List the words of a column that are to be known, as "sex=F"; none where it has not two."""
    counts = Counter(fact for r in records if isinstance(fact := r.facts.get(name), str))
    common = sorted(word for word, n in counts.most_common(most) if n >= fewest)
    return [f"{name}={word}" for word in common] if len(common) > 1 else []


def _expect_columns(records: Sequence[Record], names: Sequence[str]) -> list[str]:
    """List the columns that there are.

    Raises:
        CohortError: one that is named is not among them.
    """
    known = list(dict.fromkeys(name for record in records for name in record.facts))
    lacking = [name for name in names if name not in known]
    if lacking:
        told = ", ".join(known) or "none"
        raise CohortError(f"facts: the column {lacking[0]!r} wanted, found {told}")
    return known


def _read_numbers(records: Sequence[Record], name: str) -> NDArray[np.float64]:
    """Read a column that is one of numbers, but for a few odd cells; none where it is of words."""
    cells = [fact for r in records if (fact := r.facts.get(name)) is not None]
    numbers = np.array([_number(fact) for fact in cells], np.float64)
    there = np.isfinite(numbers)
    return numbers[there] if there.sum() >= MOSTLY * len(cells) else numbers[:0]


def _number(fact: Fact) -> float:
    """Read a fact as a number; NaN where it is missing or none, as "90+"."""
    if isinstance(fact, str):
        fact = float(fact) if NUMBER.fullmatch(fact.strip()) else None
    return math.nan if fact is None else fact


def _words(record: Record, words: Sequence[str]) -> list[float]:
    """Tell for each word whether it is the fact; NaN where the fact is missing or unknown."""
    found = []
    for column in words:
        name, _, word = column.partition("=")
        fact = record.facts.get(name)
        known = isinstance(fact, str) and f"{name}={fact}" in words
        found.append(float(fact == word) if known else float("nan"))
    return found
