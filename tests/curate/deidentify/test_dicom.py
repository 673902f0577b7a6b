"""No planted identity is left, in any spelling; what an image needs is."""

from datetime import date
from io import BytesIO

import numpy as np
import pytest
from pydicom import Dataset, config, dcmread
from pydicom.datadict import DicomDictionary

from medclf.curate.deidentify.dicom import deidentify_dicom
from medclf.curate.deidentify.options import Options
from medclf.errors import ReadError

ALL = Options(
    frozenset({"uids", "device", "institution", "patient", "private"}),
    frozenset({"pixels", "descriptors", "structured", "graphics"}),
)
KEPT_BY_ALL = ("Sankt Irgendwo Klinik", "SN-558-221", "STATION-K7")
STRICT = Options(dates="remove")


def moved(text: str, days: int) -> str:
    whole = date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal() + days
    return f"{date.fromordinal(whole):%Y%m%d}"


@pytest.mark.parametrize(
    "options", [Options(), STRICT, Options(clean=ALL.clean), Options(frozenset({"private"}))]
)
def test_no_secret_is_left_anywhere(plant, key, leaks, options):
    raw = plant()
    assert len(leaks(raw)) > 12
    done = deidentify_dicom(raw, key, options, "file 1")
    assert leaks(done.raw) == []
    assert leaks(done.path.encode()) == []
    assert leaks(repr(done.remarks).encode()) == []


TEXTS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
UNTOUCHED = ("SpecificCharacterSet", "SOPClassUID", "Modality", "PhotometricInterpretation")


def everywhere(encode, read, raw: bytes) -> bytes:
    """Plant the name and the ID in every text of the dictionary, and in items of sequences."""
    dataset, nested = read(raw), Dataset()
    for tag, entry in DicomDictionary.items():
        vr, keyword = entry[0], entry[4]
        if tag >> 16 < 8 or keyword in UNTOUCHED or not keyword:
            continue
        if vr in TEXTS and keyword not in dataset:
            dataset.add_new(tag, vr, "Quastenflosser Hildegund")
            nested.add_new(tag, vr, "PAT-90125-X")
        elif vr in ("OB", "UN") and keyword not in ("PixelData", "EncapsulatedDocument"):
            dataset.add_new(tag, vr, b"Quastenflosser")
        elif vr == "UI" and keyword not in dataset:
            dataset.add_new(tag, vr, "1.2.276.0.90125.7")
    dataset.PurposeOfReferenceCodeSequence[0].EquipmentModality = "CT"
    dataset.ReferencedInstanceSequence = [nested]
    return encode(dataset)


@pytest.mark.parametrize("options", [Options(), STRICT, ALL], ids=["usual", "strict", "all"])
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_no_secret_is_left_in_any_attribute_of_the_dictionary(
    plant, key, leaks, encode, read, options
):
    with config.disable_value_validation():
        raw = everywhere(encode, read, plant())
        assert raw.count(b"Quastenflosser") > 900
        done = deidentify_dicom(raw, key, options, "file 1")
    assert set(leaks(done.raw)) <= set(KEPT_BY_ALL if options is ALL else ())


def test_what_the_options_keep_is_all_that_is_left(plant, key, leaks):
    raw = plant(SeriesInstanceUID="1.2.276.0.7.1")
    done = deidentify_dicom(raw, key, ALL, "file 1")
    assert set(leaks(done.raw)) == set(KEPT_BY_ALL)
    kept = dcmread(BytesIO(done.raw))
    assert kept.SeriesInstanceUID == "1.2.276.0.7.1"
    assert kept.StudyInstanceUID == key.uid("1.2.276.0.90125.19481203.1")  # Held the birth date.
    assert kept.SOPInstanceUID == kept.file_meta.MediaStorageSOPInstanceUID
    assert kept.InstitutionName == "Sankt Irgendwo Klinik"
    assert kept.DeviceSerialNumber == "SN-558-221"
    assert (kept.PatientSex, kept.PatientAge, kept.PatientWeight) == ("F", "090Y", 61)
    assert kept.StudyDescription == "CT Thorax"
    assert kept.SeriesDescription == "axial 1.25 mm"
    assert [item.value for item in kept.group_dataset(0x0019)] == ["SIEMENS MR HEADER", 1000]


def test_the_basic_profile_by_hand(plant, key, read):
    out = read(deidentify_dicom(plant(), key, STRICT, "file 1").raw)
    for gone in ("PatientAge", "PatientAddress", "InstitutionAddress", "StudyDescription",
                 "ImageComments", "SeriesDescription", "OtherPatientIDs"):  # fmt: skip
        assert gone not in out
    for empty in ("PatientBirthDate", "PatientSex", "StudyID", "ReferringPhysicianName",
                  "StudyDate", "StudyTime"):  # fmt: skip
        assert out[empty].is_empty
    for dummy in ("InstitutionName", "StationName", "DeviceSerialNumber", "OperatorsName"):
        assert out[dummy].value == "REMOVED"
    assert (out.ScanOptions, out.BodyPartExamined, out.InstanceNumber) == ("HELICAL", "CHEST", 7)
    assert not [e for e in out if e.tag.is_private or e.tag.group >> 8 in (0x50, 0x60)]
    assert out.LongitudinalTemporalInformationModified == "REMOVED"


def test_what_was_done_stands_in_the_file(plant, key, read):
    out = read(deidentify_dicom(plant(), key, ALL, "file 1").raw)
    assert out.PatientIdentityRemoved == "YES"
    codes = {
        (c.CodeValue, c.CodingSchemeDesignator) for c in out.DeidentificationMethodCodeSequence
    }
    wanted = (113100, 113101, *range(113103, 113106), *range(113107, 113113))
    assert codes == {(str(code), "DCM") for code in wanted}
    assert out.LongitudinalTemporalInformationModified == "MODIFIED"


def test_pseudonyms_and_uids_hang_on_the_key_alone(plant, key, read):
    from medclf.curate.deidentify.key import Key

    one = read(deidentify_dicom(plant(), key, Options(), "file 1").raw)
    two = read(
        deidentify_dicom(
            plant(SOPInstanceUID="1.2.276.0.90125.5", InstanceNumber=8), key, STRICT, "file 2"
        ).raw
    )
    other = read(deidentify_dicom(plant(), Key(b"another".ljust(32)), Options(), "file 1").raw)
    assert one.PatientID == two.PatientID == key.pseudonym("PAT-90125-X") != other.PatientID
    assert one.StudyInstanceUID == two.StudyInstanceUID != other.StudyInstanceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.AccessionNumber == two.AccessionNumber == key.accession("ACC7788123")
    for out in (one, two, other):
        assert out.file_meta.MediaStorageSOPInstanceUID == out.SOPInstanceUID
        assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in _uids(out))
        assert out.SOPClassUID == "1.2.840.10008.5.1.4.1.1.2"


def _uids(dataset: Dataset) -> list[str]:
    elements = [e for e in dataset.iterall() if e.VR == "UI" and e.value]
    return [str(e.value) for e in elements if not e.value.startswith("1.2.840.10008.")]


def test_references_follow_the_files_that_they_name(plant, key, read):
    out = read(deidentify_dicom(plant(), key, Options(), "file 1").raw)
    named = out.PurposeOfReferenceCodeSequence[0].ReferencedInstanceSequence[0]
    other = plant(SOPInstanceUID="1.2.276.0.90125.19481203.1.1.2")
    done = read(deidentify_dicom(other, key, Options(), "file 2").raw)
    assert named.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == done.SOPInstanceUID


def test_dates_of_a_patient_move_together_and_times_stay(plant, key, read):
    days = key.shift_days("PAT-90125-X")
    assert -4015 <= days <= -365
    later = plant(StudyDate="20190603", SOPInstanceUID="1.2.3.4")
    one = read(deidentify_dicom(plant(), key, Options(), "file 1").raw)
    two = read(deidentify_dicom(later, key, Options(), "file 2").raw)
    assert (one.StudyDate, two.StudyDate) == (moved("20190514", days), moved("20190603", days))
    assert one.AcquisitionDateTime == moved("20190514", days) + "113000.250000+0100"
    assert one.StudyTime == "113000"
    dose = one.RadiopharmaceuticalInformationSequence[0]
    assert dose.RadiopharmaceuticalStartDateTime == moved("20190514", days) + "101500"
    assert one.PatientBirthDate == ""


def test_stamps_in_bytes_go_and_the_zone_stays(plant, key, read):
    stamp = b"20190514113000.0"
    raw = plant(FrameOriginTimestamp=stamp, CertifiedTimestamp=stamp, TimezoneOffsetFromUTC="+0100")
    done = deidentify_dicom(raw, key, Options(), "file 1")
    assert stamp not in done.raw
    assert read(done.raw).TimezoneOffsetFromUTC == "+0100"


def test_kept_dates_stay_and_the_birth_date_goes(plant, key, read, leaks):
    done = deidentify_dicom(plant(), key, Options(dates="keep"), "file 1")
    assert read(done.raw).StudyDate == "20190514"
    assert leaks(done.raw) == ["20190514"]


def test_a_date_that_is_none_goes_and_is_told(plant, key, read):
    with config.disable_value_validation():
        raw = plant(StudyDate="yesterday")
        done = deidentify_dicom(raw, key, Options(), "file 1")
        assert read(done.raw).StudyDate == ""
    assert "date removed" in {remark.kind for remark in done.remarks}


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 192", "Wang^XiaoDong=王^小東"),
        ("ISO_IR 100", "Äneas^Rüdiger"),
        ("ISO_IR 144", "Люкceмбypг^Роза"),
        ("ISO_IR 126", "Διονυσιος^Αλεξανδρος"),
        ("ISO_IR 127", "قباني^لنزار"),
        ("ISO_IR 138", "שרון^דבורה"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_in_every_alphabet(plant, key, charset, name):
    raw = plant(SpecificCharacterSet=charset, PatientName=name, BodyPartExamined="CHEST")
    done = deidentify_dicom(raw, key, Options(), "file 1")
    original = dcmread(BytesIO(raw)).PatientName.original_string
    parts = [p for p in name.replace("=", "^").split("^") if len(p) > 1]
    assert original in raw
    codes = ("utf-8", "utf-16-le", "utf-16-be", "shift_jis", "euc_kr", "gb18030", "iso2022_jp")
    for part in parts:
        for code in codes:
            spelt = part.encode(code, "ignore")
            assert len(spelt) < 4 or spelt not in done.raw
    assert original not in done.raw
    assert dcmread(BytesIO(done.raw)).SpecificCharacterSet == "ISO_IR 192"


def test_pixels_stay_bit_by_bit_and_the_tail_goes(plant, key, read):
    values = np.random.default_rng(0).integers(0, 4096, (40, 30)).astype(np.uint16)
    out = read(deidentify_dicom(plant(values), key, Options(), "file 1").raw)
    np.testing.assert_array_equal(out.pixel_array, values)
    assert out.preamble == bytes(128)
    assert "SourceApplicationEntityTitle" not in out.file_meta
    assert out.file_meta.ImplementationClassUID.startswith("1.2.826.0.1.3680043.8.498")


def test_spare_bits_and_bytes_behind_the_pixels_go(plant, key, read):
    values = np.full((8, 8), 0x0ABC, np.uint16)
    spare = np.where(np.eye(8, dtype=bool), 0xF000, 0).astype(np.uint16)
    raw = plant(values | spare, BitsStored=12, HighBit=11)
    out = read(deidentify_dicom(raw, key, Options(), "file 1").raw)
    assert set(np.frombuffer(out.PixelData, np.uint16)) == {0x0ABC}
    longer = plant(values, PixelData=values.tobytes() + b"Quastenflosser")
    out = read(deidentify_dicom(longer, key, Options(), "file 1").raw)
    assert out.PixelData == values.tobytes()


def test_a_second_run_takes_what_the_first_wrote(plant, key, leaks):
    for options in (Options(), STRICT, ALL):
        once = deidentify_dicom(plant(), key, options, "file 1")
        again = deidentify_dicom(once.raw, key, options, "file 1")
        assert set(leaks(again.raw)) <= set(KEPT_BY_ALL if options is ALL else ())


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("1.2.840.10008.5.1.4.1.1.104.1", "encapsulated document"),
        ("1.2.840.10008.1.3.10", "DICOMDIR"),
        ("1.2.840.10008.5.1.4.1.1.9.4.1", "sound"),
    ],
)
def test_what_no_program_can_clean_is_refused(plant, key, kind, reason):
    with pytest.raises(ReadError, match=rf"^file 1: .*{reason}"):
        deidentify_dicom(plant(SOPClassUID=kind), key, Options(), "file 1")


@pytest.mark.parametrize("raw", [b"", b"Quastenflosser " * 40, b"\0" * 128 + b"DICM"])
def test_what_is_no_dicom_is_refused_without_a_word_of_it(key, raw):
    with pytest.raises(ReadError, match=r"^file 1: ") as caught:
        deidentify_dicom(raw, key, Options(), "file 1")
    assert "Quastenflosser" not in str(caught.value)


def test_a_bomb_is_refused(plant, key):
    import zlib

    raw = plant()
    head = 144 + int.from_bytes(raw[140:144], "little")
    packer = zlib.compressobj(6, wbits=-15)
    packed = packer.compress(bytes(130 * 2**20)) + packer.flush()
    syntax = b"1.2.840.10008.1.2.1.99"
    start = raw.index(b"1.2.840.10008.1.2.1\0")
    meta = raw[: start - 2] + len(syntax).to_bytes(2, "little") + syntax + raw[start + 20 : head]
    meta = meta[:140] + (len(meta) - 144).to_bytes(4, "little") + meta[144:]
    with pytest.raises(ReadError, match="more than 500-fold is a bomb"):
        deidentify_dicom(meta + packed, key, Options(), "file 1")


def test_damage_never_ends_in_a_leak_or_a_strange_error(plant, key, leaks):
    raw, rng = plant(), np.random.default_rng(0)
    for _ in range(60):
        hurt = bytearray(raw)
        for place in rng.integers(132, len(raw), 3):
            hurt[place] = rng.integers(256)
        message = attempt(bytes(hurt), key)
        assert not message or message.startswith("file 1: ")
        assert leaks(message.encode()) == []


def attempt(raw: bytes, key) -> str:
    try:
        with config.disable_value_validation():
            deidentify_dicom(raw, key, Options(), "file 1")
    except ReadError as problem:
        return str(problem)
    return ""


def test_a_patient_without_an_id_is_known_by_name_or_study(plant, key):
    named = plant(PatientID="")
    same = plant(PatientID="", StudyInstanceUID="1.2.3")
    nameless = plant(PatientID="", PatientName="")
    one, two, three = (deidentify_dicom(r, key, Options(), "file") for r in (named, same, nameless))
    assert one.patient == two.patient != three.patient
    assert all("patient unclear" in {r.kind for r in d.remarks} for d in (one, two, three))
