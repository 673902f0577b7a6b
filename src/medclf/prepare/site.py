"""The hospital or scanner that each exam came from, where exams are prepared by it."""

from collections.abc import Sequence

from medclf.core.record import Record, name_value
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
    return [name_value(record.facts.get(settings.site)) for record in records]
