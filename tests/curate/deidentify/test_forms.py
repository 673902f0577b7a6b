"""What has no form of its kind is not kept, whatever it says."""

import pytest
from pydicom import DataElement, Dataset, config

from medclf.curate.deidentify.clean import Cleaner
from medclf.curate.deidentify.forms import is_formed
from medclf.curate.deidentify.identity import Identity
from medclf.curate.deidentify.options import Options

KEEPING = Options(frozenset({"uids"}), dates="keep")
SWALLOWED = "1.2.840.10008.1\0 DA\x08\x0020190514"


@pytest.mark.parametrize(
    ("vr", "good", "bad"),
    [
        ("UI", "1.2.3", SWALLOWED),
        ("TM", "113000.250", "at eleven"),
        ("DA", "20190514", "14 May"),
        ("DT", "20190514113000.5+0100", "May 2019"),
        ("AS", "042Y", "42"),
        ("CS", "HELICAL\\B", "A" * 65),
        ("LO", "a name, as it is", "one\0two"),
    ],
)
def test_forms_of_values(vr, good, bad):
    with config.disable_value_validation():
        assert is_formed(DataElement(0x00081030, vr, good))
        assert is_formed(DataElement(0x00081030, vr, ""))
        assert not is_formed(DataElement(0x00081030, vr, bad))


def cleaned(key, options: Options, **elements: object) -> tuple[Dataset, set[str]]:
    with config.disable_value_validation():
        dataset = Dataset()
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        cleaner = Cleaner(key, options, -400, Identity())
        cleaner.clean(dataset)
    return dataset, {remark.kind for remark in cleaner.remarks}


def test_a_value_that_swallowed_others_goes(key):
    out, told = cleaned(key, KEEPING, StudyInstanceUID=SWALLOWED, ScanOptions="A" * 999)
    assert (len(out), told) == (0, {"misformed removed"})
    out, _ = cleaned(key, Options(), StudyInstanceUID=SWALLOWED)
    assert out.StudyInstanceUID == key.uid(SWALLOWED)


def test_a_word_where_a_time_belongs_is_emptied(key):
    out, told = cleaned(key, KEEPING, StudyTime="Quastenflosser", StudyDate="20190514")
    assert (out.StudyTime, out.StudyDate, told) == (None, "20190514", {"date removed"})


def test_the_meaning_of_public_codes_alone_stays(key):
    out, _ = cleaned(key, KEEPING, CodeMeaning="Entire thorax", CodingSchemeDesignator="SCT")
    assert out.CodeMeaning == "Entire thorax"
    out, _ = cleaned(key, KEEPING, CodeMeaning="CT for Nachtigall", CodingSchemeDesignator="99X")
    assert out.CodeMeaning == "CT"


def test_an_element_of_another_kind_than_registered_is_not_trusted(key):
    dataset = Dataset()
    dataset.add_new(0x00400520, "LO", "seen by Nachtigall")  # Of bytes or of sequences by right.
    dataset.add_new(0x0040A160, "SH", "by Nachtigall")  # TextValue, told as a short one.
    dataset.add_new(0x00181210, "SH", "B30f")
    Cleaner(key, KEEPING, -400, Identity()).clean(dataset)
    assert [e.keyword for e in dataset] == ["ConvolutionKernel"]
