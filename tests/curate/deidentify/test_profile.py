"""The standard's table: as many lines as it has, and the actions that it gives."""

from collections import Counter

import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag

from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.private import load_safe
from medclf.curate.deidentify.profile import find_rule, load_profile
from medclf.errors import SettingError


def test_the_table_is_whole():
    """As compiled (docs/decisions/0014): 656 lines, 3 of repeating groups, 1 of private ones."""
    rules = load_profile()
    assert len(rules) == 656
    assert Counter(rule.basic for rule in rules.values()) == {
        "X": 416, "D": 93, "U": 55, "Z": 42, "X/D": 23, "X/Z": 11, "X/Z/D": 8, "Z/D": 6,
        "X/Z/U*": 2,
    }  # fmt: skip
    columns = Counter(column for rule in rules.values() for column in rule.options)
    assert columns == {
        "uids": 60, "device": 57, "institution": 10, "patient": 14, "full_dates": 167,
        "shifted_dates": 167, "descriptors": 125, "structured": 3, "graphics": 4,
    }  # fmt: skip


def test_every_name_is_that_of_its_tag():
    for rule in load_profile().values():
        if "X" not in rule.tag and rule.tag != "PRIVATE" and dictionary_has_tag(int(rule.tag, 16)):
            assert keyword_for_tag(int(rule.tag, 16)) in (rule.name, "")


def test_every_date_may_be_kept_or_moved():
    for rule in load_profile().values():
        kept, moved = rule.options.get("full_dates"), rule.options.get("shifted_dates")
        assert (kept, moved) in (("K", "C"), (None, None))
        if kept and dictionary_has_tag(int(rule.tag, 16)):
            assert dictionary_VR(int(rule.tag, 16)) in ("DA", "TM", "DT", "OB", "SH", "SL", "FD")


@pytest.mark.parametrize(
    ("tag", "options", "action"),
    [
        (0x00100010, Options(), "Z"),
        (0x00080080, Options(), "D"),
        (0x00080080, Options(frozenset({"institution"})), "K"),
        (0x00080020, Options(), "C"),
        (0x00080020, Options(dates="keep"), "K"),
        (0x00080020, Options(dates="remove"), "Z"),
        (0x00101010, Options(), "X"),
        (0x00101010, Options(frozenset({"patient"})), "K"),
        (0x0008103E, Options(clean=frozenset({"descriptors"})), "C"),
        (0x0020000D, Options(), "U"),
        (0x60020022, Options(), "X"),
        (0x50040110, Options(clean=frozenset({"graphics"})), "C"),
    ],
)
def test_actions_by_hand(tag, options, action):
    assert find_rule(tag).action(options.columns) == action


def test_attributes_outside_of_the_table_have_no_rule():
    assert find_rule(0x00280010) is None


@pytest.mark.parametrize(
    "wrong", [{"retain": frozenset({"name"})}, {"clean": frozenset({"x"})}, {"dates": "blur"}]
)
def test_unknown_options_are_refused(wrong):
    with pytest.raises(SettingError, match=r"one of .* wanted, found"):
        Options(**wrong)


def test_safe_private_elements_name_their_creators():
    safe = load_safe()
    assert safe["Philips PET Private Group", 0x7053] == {0x00, 0x09}
    assert safe["SIEMENS MR HEADER", 0x0019] == {0x0C, 0x0D, 0x0E, 0x27}
    assert all(group % 2 for _, group in safe)
