"""Facts about patients as numbers: standardised, words as one number each, what is missing as NaN.

What a number is measured against, and which words are known, is learnt from training exams and
stands in the recipe, so that whoever uses the run reads facts alike.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from medclf.core.record import Fact, Record
from medclf.curate.joined import DATASET
from medclf.errors import CohortError
from medclf.learn.settings import Facts

WORDS = 12  # the most of one column; the rarest are read as missing
FEWEST = 5  # training exams that must bear a word
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
    known = list(dict.fromkeys(name for record in records for name in record.facts))
    lacking = [name for name in names if name not in known]
    if lacking:
        told = ", ".join(known) or "none"
        raise CohortError(f"facts: the column {lacking[0]!r} wanted, found {told}")
    numbers: list[str] = []
    mean: list[float] = []
    deviation: list[float] = []
    words: list[str] = []
    for name in names or known:
        column = [record.facts.get(name) for record in records]
        values = np.array([fact for fact in column if isinstance(fact, float)], np.float64)
        if len(values) and not any(isinstance(fact, str) for fact in column):
            if values.std() > 0:
                numbers.append(name)
                mean.append(round(float(values.mean()), 6))
                deviation.append(round(float(values.std()), 6))
            continue
        words += _common_words(records, name)
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
    """Learn anew what facts are measured against, with the columns as they are."""
    found = choose_facts(records, columns_of(settings)) if settings.columns else settings
    return replace(found, words=settings.words) if settings.words else found


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


def doubt_facts(record: Record, settings: Facts) -> tuple[str, ...]:
    """Warn of facts that are missing, of another kind than in training, or far from what it saw."""
    missing = [name for name in columns_of(settings) if record.facts.get(name) is None]
    told = [f"not known: {', '.join(missing)}"] if missing else []
    measures = zip(settings.numbers, settings.mean, settings.deviation, strict=True)
    for name, mean, deviation in measures:
        fact = record.facts.get(name)
        if isinstance(fact, str):
            told.append(f"{name} is {fact!r}, which is no number and not looked at")
        elif fact is not None and abs(fact - mean) > FAR * deviation:
            told.append(f"{name} is {fact:g}, far from {mean:.4g} ± {deviation:.4g} of training")
    for name in columns_of(Facts(words=settings.words)):
        fact = record.facts.get(name)
        if isinstance(fact, float):
            told.append(f"{name} is {fact:g}, where training had words; it is not looked at")
        elif fact is not None and f"{name}={fact}" not in settings.words:
            told.append(f"{name} is {fact!r}, which training never saw")
    return tuple(told)


def _common_words(
    records: Sequence[Record], name: str, most: int | None = WORDS, fewest: int = FEWEST
) -> list[str]:
    """List the words of a column that are to be known, as "sex=F"; none where it has not two."""
    counts = Counter(fact for r in records if isinstance(fact := r.facts.get(name), str))
    common = sorted(word for word, n in counts.most_common(most) if n >= fewest)
    return [f"{name}={word}" for word in common] if len(common) > 1 else []


def _number(fact: Fact) -> float:
    return fact if isinstance(fact, float) else float("nan")


def _words(record: Record, words: Sequence[str]) -> list[float]:
    """Tell for each word whether it is the fact; NaN where the fact is missing or unknown."""
    found = []
    for column in words:
        name, _, word = column.partition("=")
        fact = record.facts.get(name)
        known = isinstance(fact, str) and f"{name}={fact}" in words
        found.append(float(fact == word) if known else float("nan"))
    return found
