"""The hospital or scanner that each exam came from, where exams are prepared by it."""

from collections.abc import Sequence

from medclf.core.record import Fact, Record
from medclf.errors import SettingError
from medclf.prepare.settings import Prepare


def sites_of(records: Sequence[Record], settings: Prepare) -> list[str]:
    """Tell the site of each exam; "" where it is missing, or where sites do not matter.

    Raises:
        SettingError: no exam has such a fact.
    """
    if not settings.site:
        return [""] * len(records)
    if not any(settings.site in record.facts for record in records):
        told = ", ".join(sorted({name for record in records for name in record.facts})) or "none"
        raise SettingError(f"prepare.site: the column {settings.site!r} wanted, found {told}")
    return [_word(record.facts.get(settings.site)) for record in records]


def _word(fact: Fact) -> str:
    """Write a fact as its table does: 3 for 3.0.

    Example:
        >>> _word(3.0), _word("north"), _word(None)
        ('3', 'north', '')
    """
    if fact is None:
        return ""
    return f"{fact:g}" if isinstance(fact, float) else str(fact)
