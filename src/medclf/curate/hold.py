"""Sites held out, which are tested alone; and sites that no split and no fold parts.

A score of patients dealt at random says nothing of the next hospital. Where the exams of some
sites are the test split, it does; where folds part no site, validation does as well. A patient who
was seen at a site held out and elsewhere is tested; the exams from elsewhere are left out, for they
must not be learnt from.

Source: Zech et al. Variable generalization performance of a deep learning model to detect
pneumonia in chest radiographs. PLOS Medicine 2018: internal scores flatter, external ones count.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medclf.core.record import Fact, Record, name_value
from medclf.curate.problem import count, tell
from medclf.curate.task import Worded
from medclf.errors import CohortError, SettingError


def hold_out(found: Worded, said: str | None, origin: Path) -> Worded:
    """Make the test split of the exams of some sites, and let all others be learnt from.

    Args:
        found: Records without split, and their labels in words.
        said: A fact and the values that are tested, as "site=north,south"; `None` for no change.
        origin: DATA, for messages.

    Returns:
        Records in "test" or "train", and a note on how many there are.

    Raises:
        CohortError: there is no such fact or value, nothing is left to learn from, or the data
            state a split themselves.
        SettingError: `said` is not of this form.
    """
    if said is None:
        return found
    name, values = _parse(said)
    records = found.records
    if any(record.split for record in records):
        raise CohortError(
            f"{origin}: the data state a split themselves: --hold-out goes with --split none"
        )
    words = [name_value(value_of(record, name, origin)) for record in records]
    if unknown := [value for value in values if value not in words]:
        there = tell((f"{w or 'missing'} ({n})" for w, n in Counter(words).most_common()), most=8)
        raise CohortError(
            f"{origin}: no exam with {name} {unknown[0]!r} to hold out, found {there}"
        )
    tested = {r.patient for r, word in zip(records, words, strict=True) if word in values}
    away = [word in values for word in words]
    kept = [i for i, r in enumerate(records) if away[i] or r.patient not in tested]
    if all(away[i] for i in kept):
        raise CohortError(f"{origin}: {name} {' and '.join(values)} held out, nothing is left")
    splits = ["test" if out else "train" for out in away]
    notes = [f"Held out for test, and only that: {name} {' and '.join(values)}."]
    if torn := len(records) - len(kept):
        notes.append(
            f"Left out: {count(torn, 'exam')} from elsewhere of patients who are tested there."
        )
    return replace(
        found,
        records=tuple(replace(records[i], split=splits[i]) for i in kept),
        words=tuple(found.words[i] for i in kept),
        notes=(*found.notes, *notes),
    )


def bind_groups(found: Worded, name: str | None, origin: Path) -> Worded:
    """Let exams of one value of a fact, as of one site, stay together wherever they are dealt.

    Raises:
        CohortError: there is no such fact.
    """
    if name is None:
        return found
    words = [name_value(value_of(record, name, origin)) for record in found.records]
    records = (replace(r, group=word) for r, word in zip(found.records, words, strict=True))
    told = f"Exams of one {name} are dealt together: {count(len({*words} - {''}), 'value')}."
    return replace(found, records=tuple(records), notes=(*found.notes, told))


def value_of(record: Record, name: str, origin: Path) -> Fact:
    """Take a fact of an exam.

    Raises:
        CohortError: it has none of this name.
    """
    if name not in record.facts:
        there = ", ".join(record.facts) or "none"
        raise CohortError(f"{origin}: no fact {name!r} is known of {record.name}, found {there}")
    return record.facts[name]


def _parse(said: str) -> tuple[str, Sequence[str]]:
    name, is_there, rest = said.partition("=")
    values = [word for part in rest.split(",") if (word := part.strip())]
    if not (is_there and name.strip() and values):
        raise SettingError(f"--hold-out COLUMN=VALUE[,VALUE] wanted, found {said!r}")
    return name.strip(), values
