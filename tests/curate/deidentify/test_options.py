"""Every option does to every attribute of the standard's table what its column says."""

from datetime import date, timedelta

import pytest
from pydicom import DataElement, Dataset, config
from pydicom.datadict import dictionary_has_tag, dictionary_VR

from medclf.curate.deidentify.clean import Cleaner
from medclf.curate.deidentify.dates import shift_date
from medclf.curate.deidentify.dummy import cap_age
from medclf.curate.deidentify.identity import Identity
from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.profile import load_profile

DAYS = -400
WRITTEN = "CT Thorax of Quastenflosser 1.25 mm"
CLEANED = "CT Thorax of 1.25 mm"
VALUES = {
    "AE": "SENDERAE", "AS": "097Y", "CS": "SOMETHING", "DA": "20190514", "DS": "1.5",
    "DT": "20190514113000", "FD": 1.5, "FL": 1.5, "IS": "7", "LO": WRITTEN, "LT": WRITTEN,
    "OB": b"Quastenflosser", "PN": "Quastenflosser^H", "SH": WRITTEN[:12], "SL": -7, "ST": WRITTEN,
    "TM": "113000", "UC": WRITTEN, "UI": "1.2.276.0.90125.1", "UL": 7, "UN": b"Quastenflosser",
    "UR": "http://quastenflosser.example", "US": 7, "UT": WRITTEN,
}  # fmt: skip
"""A planted value of every kind."""

LONG = ("LO", "LT", "ST", "UC", "UT")

OPTIONS = {
    "basic": Options(dates="remove"),
    "full_dates": Options(dates="keep"),
    "shifted_dates": Options(dates="shift"),
    **{name: Options(frozenset({name}), dates="remove")
       for name in ("uids", "device", "institution", "patient")},
    **{name: Options(clean=frozenset({name}), dates="remove")
       for name in ("descriptors", "structured", "graphics")},
}  # fmt: skip
"""The profile by itself, and with each option that has a column."""

DATES = ("full_dates", "shifted_dates")
NEVER_KEPT = ("PRIV", "0000", "0002", "0004")
"""Private elements, and groups that are of messages, of the file's head and of directories."""

ROWS = {
    int(rule.tag.replace("50XXXXXX", "50003000").replace("X", "0"), 16): rule
    for rule in load_profile().values()
    if rule.tag[:4] not in NEVER_KEPT
}
"""The rows of the table by the tag that is planted."""


def kind_of(tag: int, name: str) -> str:
    """The first kind of value that an attribute may have; a text of what pydicom does not know."""
    if dictionary_has_tag(tag) or tag >> 24 in (0x50, 0x60):
        return dictionary_VR(tag).split(" or ")[0]
    return "SQ" if "Sequence" in name else "LO"


def planted() -> Dataset:
    """Every attribute of the table with a value of its kind; of a sequence, one item."""
    dataset = Dataset()
    for tag, rule in ROWS.items():
        vr = kind_of(tag, rule.name)
        if vr == "SQ":
            item = Dataset()
            item.add_new(0x00080100, "SH", "T-D4000")
            item.add_new(0x00100010, "PN", "Quastenflosser^H")
            dataset.add_new(tag, vr, [item])
        else:
            dataset.add_new(tag, vr, VALUES[vr])
    return dataset


def expected(rule, option: str, sequence: bool) -> str:
    """What the column says, in the standard's letter; the strongest of a choice."""
    asked = rule.options.get(option)
    if DATES[0] in rule.options and option not in DATES:
        asked = None  # Dates go by what is chosen of dates alone.
    if asked:
        return asked
    order = ("U", "Z", "X", "D") if sequence else ("U", "D", "Z", "X")
    return next(action for action in order if action in rule.basic.rstrip("*").split("/"))


def done_to(before: DataElement, after: DataElement | None) -> str:
    """Tell in the standard's letters what became of an element."""
    if after is None:
        return "X"
    if before.VR == "SQ":
        if not after.value:
            return "Z"
        item = after.value[0]
        return "KCU" if item.get("CodeValue") == "T-D4000" and not item.get("PatientName") else "D"
    if after.is_empty:
        return "ZC" if before.VR in ("AE", "OB", "UN", "UR", "PN", "UI") else "Z"
    if before.VR == "UI" and after.value.startswith("2.25."):
        return "UD"
    told, was = str(after.value), str(before.value)
    clean = {CLEANED, CLEANED[: len("CT Thorax")], str(shift_date(was[:8], DAYS)) + was[8:]}
    if before.VR not in ("DA", "DT", *LONG):
        clean.add(was)  # Numbers and times stay as they are.
    kept = told in (was, cap_age(was))
    return ("K" if kept else "") + ("C" if told in clean else "") or "D"


@pytest.mark.parametrize("option", OPTIONS)
def test_every_attribute_goes_the_way_of_its_column(option, key):
    with config.disable_value_validation():
        before, after = planted(), planted()
        Cleaner(key, OPTIONS[option], DAYS, Identity()).clean(after)
        wrong = [
            f"{rule.tag} {rule.name} {before[tag].VR}: {wanted} wanted, {found} done"
            for tag, rule in ROWS.items()
            if (wanted := expected(rule, option, before[tag].VR == "SQ"))
            not in (found := done_to(before[tag], after.get(tag)))
        ]
    assert wrong == []


def test_a_date_of_the_device_moves_as_all_dates_do(key):
    rule = load_profile()["00181200"]  # DateOfLastCalibration
    assert rule.options == {"device": "K", "full_dates": "K", "shifted_dates": "C"}
    dataset = Dataset()
    dataset.DateOfLastCalibration = "20190514"
    Cleaner(key, Options(frozenset({"device"})), DAYS, Identity()).clean(dataset)
    assert date.fromisoformat(dataset.DateOfLastCalibration) == date(2019, 5, 14) + timedelta(DAYS)
    Cleaner(key, Options(frozenset({"device"}), dates="remove"), DAYS, Identity()).clean(dataset)
    assert "DateOfLastCalibration" not in dataset
