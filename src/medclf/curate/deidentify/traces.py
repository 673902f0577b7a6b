"""What images told of their people, as keyed hashes: a table's cells are known for the same.

No word of a patient is kept while a folder is worked through. Each is hashed with the key, and so
is what stands in the table: where the two agree, the cell names a person or an exam of the images.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from unicodedata import combining, normalize

from medclf.curate.deidentify.identity import MEANINGLESS, SHORTEST, Identity, folded
from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.outcome import Outcome
from medclf.curate.deidentify.words import load_vocabulary

FEWEST_DIGITS = 5
"""Digits of a number that is looked for in every column: shorter ones come by chance."""

_WORD = re.compile(r"[^\W\d_]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_LATIN = "\u024f"


@dataclass(frozen=True)
class Shown:
    """What is known of the images that came through.

    Args:
        places: Where each file went, by its name in the given folder.
        patients: Their pseudonyms.
        accessions: What stands for their accession numbers.
        traces: Of the words that tell of people.
    """

    places: Mapping[str, str] = field(default_factory=dict)
    patients: frozenset[str] = frozenset()
    accessions: frozenset[str] = frozenset()
    traces: frozenset[str] = frozenset()

    def names(self, cell: str, key: Key) -> bool:
        """Tell whether a cell names somebody or something that the images' headers name."""
        return any(_trace(word, key) in self.traces for word in _words_of(cell))


def gather_shown(outcomes: Mapping[str, Outcome]) -> Shown:
    """Gather what became of files, by their names in the given folder."""
    through = {name: it for name, it in outcomes.items() if it.path}
    every = through.values()
    return Shown(
        places={name: it.path for name, it in through.items()},
        patients=frozenset(it.patient for it in every if it.patient),
        accessions=frozenset(it.accession for it in every if it.accession),
        traces=frozenset(trace for it in every for trace in it.traces),
    )


def trace_people(identity: Identity, name: str, key: Key) -> tuple[str, ...]:
    """Hash the words of a file that tell of people, and the patient's name as a whole.

    A word of the list that free text may keep is no trace by itself: `Hand` is a part of the body.
    """
    words = {form for word in identity.words for form in _forms(folded(word)) if _tells(form)}
    for group in name.split("="):
        words.update(_whole_names(group))
    return tuple(sorted(_trace(word, key) for word in words))


def _trace(word: str, key: Key) -> str:
    return key.word("trace", word)


def _tells(word: str) -> bool:
    """Tell whether a word is one that does not come by chance."""
    if word.isdecimal():
        return len(word) >= FEWEST_DIGITS
    least = SHORTEST if max(word) <= _LATIN else SHORTEST - 1
    return len(word) >= least and word not in MEANINGLESS and word not in load_vocabulary()


def _forms(word: str) -> set[str]:
    """Write a word with its accents, without, and as German does where it has none."""
    plain = "".join(letter for letter in normalize("NFD", word) if not combining(letter))
    return {word, normalize("NFC", plain), word.translate(_UMLAUTS)}


def _whole_names(text: str) -> set[str]:
    """Write a name of several words in any order, and without a space; words of one letter too.

    Example:
        >>> sorted(_whole_names("Li^Bo"))
        ['bo li', 'boli', 'libo']
    """
    words = _WORD.findall(folded(text))
    if len(words) < 2:
        return set()
    names = {" ".join(sorted(words)), "".join(words), "".join(reversed(words))}
    return {form for name in names for form in _forms(name)}


def _words_of(cell: str) -> set[str]:
    """List what of a cell may be a trace: its words, its numbers, all of it."""
    low = folded(cell)
    parts = {low, " ".join(low.split()), *_WORD.findall(low), *re.findall(r"\d+", low)}
    parts |= {part for part in re.split(r"[\s,;()]+", low) if any(c.isdigit() for c in part)}
    return {form for part in parts if part for form in _forms(part)} | _whole_names(cell)
