"""The standard's table: as many lines as it has, and the actions that it gives."""

import importlib.util
from collections import Counter
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag

from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.private import load_safe
from medclf.curate.deidentify.profile import find_rule, load_profile
from medclf.errors import SettingError

BENCH = Path(__file__).parents[3] / "bench" / "profile_standard.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location(BENCH.stem, BENCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_that_of_the_standard(bench):
    """The digests are those of PS3.15 2026d, as bench/profile_standard.py prints them of it."""
    rules, safe = load_profile(), load_safe()
    assert (len(rules), sum(map(len, safe.values()))) == (657, 392)
    profile, private = map(bench.digest, bench.read_ours())
    assert profile == "1a1d86d56e9b270fc2c7492c88c7fe1168197d40c9c0d3b5e0dba4fbf33cc63d"
    assert private == "e1d3ee0fc1e2750a30c8d853af982c035cf50998b717a70c5beb6106b2c9fd87"
    assert Counter(rule.basic for rule in rules.values()) == {
        "X": 417, "D": 93, "U": 55, "Z": 42, "X/D": 23, "X/Z": 11, "X/Z/D": 8, "Z/D": 6,
        "X/Z/U*": 2,
    }  # fmt: skip


def test_the_standards_pages_are_read_row_by_row(bench, tmp_path):
    page = tmp_path / "page.html"
    heads = ("Attribute Name", "Tag", "Basic Prof.", "Rtn. Dev. Id. Opt.")
    cells = ("Detector\u200b  ID", "(0018,700A)", "X/D", "K")
    private = ("Data Element", "Private Creator", "VR"), ("(0019,xx0C)", "SIEMENS MR HEADER", "IS")
    tables = ((heads, cells), private)
    page.write_text("<p>words</p>" + "".join(
        "<table>" + "".join(
            "<tr>" + "".join(f"<td><para>{cell}</para></td>" for cell in row) + "</tr>"
            for row in table
        ) + "</table>"
        for table in tables
    ), "utf-8")  # fmt: skip
    found = {"0018700A": "X/D device=K"}, {"SIEMENS MR HEADER 0019XX0C": "IS"}
    assert bench.read_standard([page]) == found
    assert bench.read_ours()[0]["0018700A"] == "X/D device=K"


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
    assert safe["Philips PET Private Group", 0x7053] == {0x00: "DS", 0x09: "DS"}
    assert safe["SIEMENS MR HEADER", 0x0019] == {0x0C: "IS", 0x0D: "CS", 0x0E: "FD", 0x27: "FD"}
    assert all(group % 2 for _, group in safe)
