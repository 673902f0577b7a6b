"""Free text, cleaned: only words of a fixed list stay, and short numbers.

A list of what may stay cannot miss a name, as a list of what must go can. It holds the words with
which protocols and series are called: parts of the body, sequences, planes, contrast, sides.

Source: DICOM PS3.15, E.3.4 (Clean Descriptors Option).
"""

import re
from functools import cache
from importlib.resources import files

_DATE = re.compile(r"\d{1,4}([./:\-])\d{1,2}(?:\1\d{1,4})+|\d{1,2}:\d{2}")
_WORD = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+\d{0,2}", re.UNICODE)
_NUMBER = re.compile(r"\d{1,2}|\d{1,2}[.,]\d{1,2}")


@cache
def load_vocabulary() -> frozenset[str]:
    """Read the words that may stay, in lower case."""
    text = (files("medclf.curate.deidentify") / "vocabulary.txt").read_text("utf-8")
    return frozenset(text.split())


def clean_words(text: str) -> str:
    """Keep known words and numbers of two digits at most.

    Example:
        >>> clean_words("CT Thorax MUELLER, Hans 1.25 mm geb. 11.02.1954")
        'CT Thorax 1.25 mm'
    """
    known = load_vocabulary()
    words = _WORD.findall(_DATE.sub(" ", text))
    kept = [w for w in words if _NUMBER.fullmatch(w) or w.casefold() in known]
    return " ".join(kept)
