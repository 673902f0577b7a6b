"""A tree as an archive exports it, and a sheet that names no files."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medclf.core.record import Source
from medclf.curate.cohort import Columns, read_cohort, read_unlabelled
from medclf.curate.phantom.hard.case import write
from medclf.curate.phantom.hard.scene import Field, Slab
from medclf.curate.phantom.hard.slices import ROOT, make_stack
from medclf.curate.series import find_image, find_images
from medclf.curate.sheet import read_sheet
from medclf.errors import CohortError, ReadError, SettingError
from medclf.read.dicom.find import Found, Series
from medclf.read.image import read_image

SLAB = Slab(shape=(6, 10, 12))


def uid(*numbers):
    return ".".join([ROOT, *map(str, numbers)])


@pytest.fixture
def archive(tmp_path):
    """Eight patients, each with a scout, a thorax and a copy of it in thin slices, and junk."""
    rng = np.random.default_rng(0)
    root = tmp_path / "export"
    for patient in range(8):
        series = [("Scout", Slab((1, 10, 12))), ("Thorax 5.0", SLAB)]
        if patient % 2:
            series.append(("Thorax 1.0", replace(SLAB, shape=(12, 10, 12))))
        for number, (description, slab) in enumerate(series):
            folder = root / f"PAT{rng.integers(10**6)}" / "ST0" / f"SE{rng.integers(10**6)}"
            folder.mkdir(parents=True)
            stack = make_stack(
                Field(base=1000.0 + 50 * patient),
                slab,
                first=100 * (10 * patient + number),
                PatientID=f"MRN{patient}",
                PatientSex="F",
                StudyInstanceUID=uid(patient),
                SeriesInstanceUID=uid(patient, number),
                AccessionNumber=f"ACC{patient}",
                SeriesDescription=description,
                Manufacturer=("North", "South")[patient % 2],
            )
            for place, dataset in zip(rng.permutation(len(stack)), stack, strict=True):
                write(dataset, folder / f"IM{place:05d}")
    report = make_stack(Field(), Slab((1, 2, 2)), SeriesInstanceUID=uid(99))[0]
    del report.PixelData, report.Rows
    write(report, root / "SR00001")
    (root / "autorun.inf").write_text("[autorun]")
    (root / "viewer.exe").write_bytes(b"MZ")
    return root


def sheet(place, **columns):
    rows = {
        "Accession Number": [f" ACC{p} " for p in range(8)] + ["ACC77"],
        "Diagnosis": ["nodule", "nodule", "none", "none"] * 2 + ["none"],
        "age": [40.0 + p for p in range(8)] + [None],
        **columns,
    }
    pd.DataFrame({n: c for n, c in rows.items() if c is not None}).to_csv(place, index=False)
    return place


def test_a_tree_and_a_sheet_become_exams_of_one_volume(archive):
    sheet(archive / "labels.csv")
    cohort = read_cohort(archive)
    assert len(cohort.records) == 8
    assert cohort.task.classes == ("none", "nodule")
    for number, record in enumerate(cohort.records):
        image = read_image(record.source)
        assert image.space == SLAB.shape
        assert image.unit == "HU"
        truth = Field(base=1000.0 + 50 * number).at(SLAB.places(SLAB.corner(0)))
        np.testing.assert_allclose(image.values[0, 0], np.rint(truth), atol=1)
        assert record.patient == f"MRN{number}"
        assert record.facts["manufacturer"] == ("North", "South")[number % 2]
        assert record.facts["age"] == 40.0 + number
    told = " ".join(cohort.notes)
    assert "by the column 'Accession Number', which is their AccessionNumber" in told
    assert "'CT Thorax 5.0' is read, which 8 of 8 exams have once" in told
    assert "No image of 1 row: ACC77." in told
    assert "Not used: 12 series that no row means." in told
    assert "holds no picture" in told
    assert "no DICOM file" in told


def test_answers_are_called_as_the_sheet_calls_its_exams(archive, tmp_path):
    table = sheet(tmp_path / "labels.csv")
    known = read_cohort(table, Columns(images=archive)).records
    asked = read_unlabelled(table, Columns(images=archive)).records
    assert [record.name for record in asked] == [f"ACC{p}" for p in range(8)]
    assert [record.source for record in asked] == [record.source for record in known]
    assert not any("ACC" in record.name for record in known)  # Reports tell no numbers of exams.


def test_the_person_says_which_series_is_meant(archive, tmp_path):
    table = sheet(tmp_path / "labels.csv")
    cohort = read_cohort(table, Columns(images=archive, series="thorax 1"))
    assert [read_image(r.source).space[0] for r in cohort.records] == [12] * 4
    with pytest.raises(CohortError, match=r"more found in 4 of 8 exams: .*choose with --series"):
        read_cohort(table, Columns(images=archive, series="thorax"))
    with pytest.raises(SettingError, match="--series"):
        read_cohort(table, Columns(images=archive, series="("))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("case", lambda p: uid(p, 1), "SeriesInstanceUID"),
        ("whatever", lambda p: uid(p), "StudyInstanceUID"),
        ("patient", lambda p: f"MRN{p}", "PatientID"),
    ],
)
def test_rows_are_joined_by_the_finest_key(archive, tmp_path, name, value, told):
    keys = {name: [value(p) for p in range(8)] + ["x"], "Accession Number": None}
    table = sheet(tmp_path / "labels.csv", **keys)
    cohort = read_cohort(table, Columns(images=archive))
    assert len(cohort.records) == 8
    assert f"by the column {name!r}, which is their {told}" in " ".join(cohort.notes)
    assert {read_image(r.source).space for r in cohort.records} == {SLAB.shape}


def test_the_sheet_knows_better_whose_an_exam_is(archive, tmp_path):
    table = sheet(tmp_path / "labels.csv", patient=["a", "a", "b", "b", *"cdefg"])
    records = read_cohort(table, Columns(images=archive)).records
    assert [record.patient for record in records] == ["a", "a", "b", "b", *"cdef"]
    assert records[0].facts["sex"] == "F"


def test_a_sheet_that_fits_nothing_is_refused(archive, tmp_path):
    keys = {"Accession Number": None, "number": list("abcdefghi")}
    table = sheet(tmp_path / "labels.csv", **keys)
    with pytest.raises(
        CohortError, match=r"their DICOM headers say .*found Diagnosis, age, number"
    ):
        read_cohort(table, Columns(images=archive))


def scans(root, count, kinds=("",)):
    """Series of patients 000, 001, …, whose files are not read."""
    series = [
        Series(Source(root / f"{n}{kind}.dcm"), f"{n:03}", uid(n), f"A{n}", uid(n), "MR", kind)
        for n in range(count)
        for kind in kinds
    ]
    return Found(root, tuple(series), ())


def join(root, columns, series=None, kinds=("",), absent=0, **said):
    table = {"label": ["a", "b"] * 4, **columns}
    found = scans(root, 8, kinds)
    found = replace(found, series=found.series[absent:])
    return read_sheet(table, Columns(series=series, **said), found, "labels.xlsx")


ACCESSIONS = {"accession": [f"A{n}" for n in range(8)]}


def test_series_by_name_are_the_images_of_an_exam(tmp_path):
    found = join(tmp_path, ACCESSIONS, "t1=T1,flair=flair", ("T1 3D", "FLAIR", "ADC"), absent=1)
    named = [
        {name: one.path.name for name, one in record.images.items()} for record in found.records
    ]
    assert named[0] == {"flair": "0FLAIR.dcm"}
    assert named[1] == {"t1": "1T1 3D.dcm", "flair": "1FLAIR.dcm"}
    assert "No t1 of 1 exam." in found.notes
    assert [record.patient for record in found.records[:2]] == ["000", "001"]
    alone = join(tmp_path, ACCESSIONS, patient="none").records
    assert not any(record.patient for record in alone)
    with pytest.raises(CohortError, match="other series for a than for b wanted, found 'MR T1'"):
        join(tmp_path, ACCESSIONS, "a=T1,b=T1|FLAIR", ("T1",))
    with pytest.raises(SettingError, match="each name once"):
        join(tmp_path, ACCESSIONS, "a=T1,a=FLAIR", ("T1",))


def test_an_exam_that_has_the_usual_kind_twice_is_told_apart_from_one_without_image(tmp_path):
    found = scans(tmp_path, 30)
    again = replace(found.series[4], source=Source(tmp_path / "again.dcm"))
    other = replace(found.series[6], description="ADC")
    table = {"label": ["a", "b"] * 16, "accession": [f"A{n}" for n in range(32)]}
    found = replace(found, series=(*found.series[:6], other, *found.series[7:], again))
    rows = read_sheet(table, Columns(), found, "labels.xlsx")
    assert len(rows.records) == 28
    told = " ".join(rows.notes)
    assert "1 exam with several 'MR', left out: A4." in told
    assert "1 exam with no 'MR', left out: A6." in told
    assert "No image of 2 rows: A30, A31." in told
    found = replace(found, series=tuple(one for one in found.series if one is not other))
    told = " ".join(read_sheet(table, Columns(), found, "labels.xlsx").notes)
    assert "which 28 of 29 exams have once. 1 exam with several" in told


def test_the_kind_that_was_chosen_is_kept_and_chosen_again_of_few_exams(archive):
    sheet(archive / "labels.csv")
    cohort = read_cohort(archive)
    assert cohort.series == "^CT\\ Thorax\\ 5\\.0$"
    folder = cohort.records[0].source.first.path.parent
    for number in (2, 3):  # A folder with other thick series, of which no majority can tell.
        stack = make_stack(
            Field(base=number),
            SLAB,
            first=5000 * number,
            PatientID="MRN0",
            StudyInstanceUID=uid(0),
            SeriesInstanceUID=uid(77, number),
            SeriesDescription=f"Late {number}",
        )
        for dataset in stack:
            write(dataset, folder / f"LATE{dataset.SOPInstanceUID}")
    with pytest.raises(CohortError, match="choose with --series"):
        find_image(folder, None)
    again = find_image(folder, None, cohort.series)
    assert again.parts == cohort.records[0].source.parts


def test_a_localiser_in_the_series_of_its_stack_is_not_meant(archive, tmp_path):
    keys = {"Accession Number": None, "case": [uid(p, 1) for p in range(8)] + ["x"]}
    table = sheet(tmp_path / "labels.csv", **keys)
    scout = make_stack(
        Field(),
        Slab((1, 10, 12)),
        first=9000,
        PatientID="MRN3",
        StudyInstanceUID=uid(3),
        SeriesInstanceUID=uid(3, 1),
        SeriesDescription="Thorax 5.0",
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )[0]
    write(scout, archive / "SCOUT")
    for series in (None, "thorax"):
        cohort = read_cohort(table, Columns(images=archive, series=series))
        assert {read_image(r.source).space for r in cohort.records} == {SLAB.shape}
        assert len(cohort.records) == 8
        told = f"of few files within larger series, as localisers are: {uid(3, 1)}"
        assert told in " ".join(cohort.notes)


def test_what_is_said_of_series_fits_some(tmp_path):
    with pytest.raises(CohortError, match=r"--series 'foo' fits no series, found 'MR T1' \(8\)"):
        join(tmp_path, ACCESSIONS, "foo", ("T1", "FLAIR"))
    notes = join(tmp_path, ACCESSIONS, "T1", ("T1", "FLAIR"), absent=1).notes
    assert "1 exam with no series that fits --series 'T1', left out: A0." in notes


def test_an_image_of_two_rows_is_called_as_the_rows_call_it(tmp_path):
    twice = {"accession": ["A0", "A0", *ACCESSIONS["accession"][2:]]}
    with pytest.raises(CohortError, match=r"1 image in several rows: A0;"):
        join(tmp_path, twice)


def test_the_column_of_the_accession_number_is_known_with_its_dot(tmp_path):
    assert len(join(tmp_path, {"Accession No.": ACCESSIONS["accession"]}).records) == 8


def test_of_series_that_are_equally_common_none_is_read_unasked(tmp_path):
    with pytest.raises(CohortError, match=r"more found in 8 of 8 exams: 'MR T1' \(8\), 'MR FLAIR'"):
        join(tmp_path, ACCESSIONS, None, ("T1", "FLAIR"))


def test_numbers_that_lost_their_zeros_are_found_and_told(tmp_path):
    found = join(tmp_path, {"patient": [f"{n}" for n in range(8)]})
    assert [record.name for record in found.records] == [f"{n}.dcm" for n in range(8)]
    assert (
        "8 numbers of the sheet found but for leading zeros: one like '0' is taken for '000'."
        in (found.notes)
    )
    kept = [f"{n}" for n in range(6)] + ["006", "07"]  # Each cell by itself: 07 lost none.
    assert len(join(tmp_path, {"patient": kept}).records) == 7


def renamed(found, **patients):
    """Series of other patients, by accession number."""
    return replace(
        found,
        series=tuple(
            replace(one, patient=patients.get(one.accession, one.patient)) for one in found.series
        ),
    )


def test_what_may_be_two_numbers_for_want_of_zeros_is_taken_for_neither(tmp_path):
    found = renamed(scans(tmp_path, 8), A1="12", A2="0012")
    table = {"label": ["a", "b"] * 2, "patient": ["3", "4", "12", "0012"]}
    rows = read_sheet(table, Columns(), found, "labels.xlsx")
    assert [record.name for record in rows.records] == ["3.dcm", "4.dcm", "2.dcm"]
    assert "leading zeros alone, and no image is taken: 12." in " ".join(rows.notes)


def test_patients_are_written_as_in_the_headers_where_zeros_were_lost(tmp_path):
    patients = [f"{n}" for n in range(6)] + ["six", "001"]
    found = join(tmp_path, {**ACCESSIONS, "patient": patients})
    told = [f"{n:03}" for n in range(6)] + ["six", "001"]
    assert [record.patient for record in found.records] == told
    (note,) = (note for note in found.notes if "mixed up" in note)
    assert note.startswith("1 row names another patient of the headers")
    assert "tell: row 8, the header not counted." in note
    assert "001" not in note


def test_series_of_one_name_are_told_apart(tmp_path):
    parts = [tuple(Source(tmp_path / f"{n}{k}.dcm") for k in "ab") for n in range(8)]
    found = scans(tmp_path, 8)
    series = [
        replace(one, source=Source(tmp_path, "no series", parts=some))
        for one, some in zip(found.series, parts, strict=True)
    ]
    table = {"label": ["a", "b"] * 4, **ACCESSIONS}
    rows = read_sheet(table, Columns(), replace(found, series=tuple(series)), "labels.xlsx")
    assert [record.source.parts for record in rows.records] == parts
    assert [record.name for record in rows.records[:2]] == ["no series", "no series (2)"]


def test_of_patients_who_share_the_number_of_an_exam_the_row_s_is_meant(tmp_path):
    found = scans(tmp_path, 8)
    shared = [replace(one, accession="A0") for one in found.series[:2]]
    found = replace(found, series=(*shared, *found.series[2:]))
    table = {
        "label": ["a", "b"] * 4,
        "accession": ["A0", "A0", *ACCESSIONS["accession"][2:]],
        "patient": [f"{n}" for n in range(8)],
    }
    rows = read_sheet(table, Columns(), found, "labels.xlsx")
    assert [record.name for record in rows.records] == [f"{n}.dcm" for n in range(8)]
    del table["patient"]
    rows = read_sheet(table, Columns(), found, "labels.xlsx")
    assert [record.name for record in rows.records] == [f"{n}.dcm" for n in range(2, 8)]
    assert "1 exam is left out: several patients of the headers have its" in " ".join(rows.notes)


def test_images_of_a_disc_are_named_by_their_place_on_it(tmp_path):
    (tmp_path / "DICOMDIR").touch()
    found = replace(scans(tmp_path, 8), root=tmp_path / "DICOMDIR")
    table = {"label": ["a", "b"] * 4, **ACCESSIONS}
    rows = read_sheet(table, Columns(), found, "labels.xlsx")
    assert [record.name for record in rows.records] == [f"{n}.dcm" for n in range(8)]


def test_a_few_stray_matches_are_no_key(tmp_path):
    patients = [f"{n:03}" for n in range(8)]
    stray = {"accession": ["A7", "A6", "A5", *"klmno"], "patient": patients}
    found = join(tmp_path, stray)
    assert "which is their PatientID" in " ".join(found.notes)
    assert len(found.records) == 8
    assert "The column 'accession' is not gone by: 3 of 8 rows" in " ".join(found.notes)
    most = {"accession": [f"A{n}" for n in range(6)] + ["x", "y"], "patient": patients}
    assert len(join(tmp_path, most).records) == 6


def test_no_row_means_another_exam_of_its_patient(tmp_path):
    patients = [f"{n:03}" for n in range(8)]
    told = {"accession": ["A0", "A1", *"klmn", "", ""], "patient": patients}
    found = join(tmp_path, told)
    assert [record.name for record in found.records] == ["0.dcm", "1.dcm", "6.dcm", "7.dcm"]
    assert "No image of 4 rows: k, l, m, … (1 more)." in found.notes
    assert "Rows without it are joined by the column 'patient', which is" in " ".join(found.notes)
    baseline = {"accession": ["A0", *"klmnopq"], "patient": ["000"] * 8}
    assert len(join(tmp_path, baseline).records) == 1
    few = {"accession": ["A7", *"klmnopq"], "patient": patients}
    (one,) = join(tmp_path, few, exam="Accession").records
    assert one.name == "7.dcm"
    with pytest.raises(CohortError, match="the column 'order' wanted for --exam"):
        join(tmp_path, few, exam="order")


def test_a_sheet_whose_keys_are_written_otherwise_is_told_how(tmp_path):
    told = "PatientID is like '000' in a header, 'AA 0' in the column 'patient'"
    with pytest.raises(CohortError, match=told):
        join(tmp_path, {"patient": [f"MR {n}" for n in range(8)]})


def test_the_files_of_a_volume_in_a_folder_of_its_class_are_one_exam(tmp_path):
    for number in range(4):
        folder = tmp_path / "data" / ("ill", "well")[number % 2] / f"scan {number}"
        folder.mkdir(parents=True)
        about = {"PatientID": f"P{number}", "SeriesInstanceUID": uid(number)}
        for place, dataset in enumerate(make_stack(Field(), SLAB, first=10 * number, **about)):
            write(dataset, folder / f"{place}.dcm")
    cohort = read_cohort(tmp_path / "data")
    assert [r.name for r in cohort.records] == [
        f"{('ill', 'well')[n % 2]}/scan {n}/series" for n in (0, 2, 1, 3)
    ]
    assert {read_image(record.source).space for record in cohort.records} == {SLAB.shape}
    assert {record.patient for record in cohort.records} == {"P0", "P1", "P2", "P3"}
    assert "24 DICOM files are slices of 4 volumes" in " ".join(cohort.notes)
    each = read_cohort(tmp_path / "data", Columns(slices=True))
    assert len(each.records) == 24


def test_a_folder_is_the_volume_in_it_and_a_file_is_itself(archive, tmp_path):
    scan = next(archive.rglob("IM00005")).parent
    assert len(find_image(scan, None).parts) >= 6
    assert find_image(scan / "IM00005", None) == Source(scan / "IM00005")
    study = scan.parents[1]
    assert find_image(study, "thorax").parts
    assert list(find_images(study, "scout=scout,thorax=thorax")) == ["thorax"]
    with pytest.raises(SettingError, match=r"one series wanted here, .* names several"):
        find_image(study, "scout=scout,thorax=5.0")
    with pytest.raises(CohortError, match="more found in 1 of 1 exam"):
        find_image(archive, "thorax")
    (tmp_path / "empty").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "scan").symlink_to(scan)
    with pytest.raises(ReadError, match=r"volume, wanted\. Left out: 1 file: a link to a folder"):
        find_image(tmp_path / "linked", None)
    (tmp_path / "linked" / "labels.csv").write_text("patient,label\nMRN0,a\nMRN1,b\n")
    with pytest.raises(CohortError, match=r"no DICOM image was found in .*a link to a folder"):
        read_cohort(tmp_path / "linked")
    with pytest.raises(ReadError, match="folder with the DICOM files of a volume, wanted"):
        find_image(tmp_path / "empty", None)


def test_a_cell_may_name_the_folder_of_a_volume(archive, tmp_path):
    folders = sorted(p.parent for p in archive.rglob("IM00005"))[:6]
    names = [folder.relative_to(tmp_path).as_posix() for folder in folders]
    table = tmp_path / "exams.csv"
    pd.DataFrame({"path": names, "label": ["a", "b"] * 3}).to_csv(table, index=False)
    cohort = read_cohort(table)
    assert len(cohort.records) == 6
    assert all(len(record.source.parts) >= 6 for record in cohort.records)
    table.write_text(table.read_text().replace(names[0], "export"))
    with pytest.raises(CohortError, match="more found in 1 of 1 exam: "):
        read_cohort(table)
