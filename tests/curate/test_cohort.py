"""Cohorts from every form of DATA."""

import zipfile
from collections import Counter

import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from medclf.core.record import Source
from medclf.core.task import Task
from medclf.curate.cohort import Columns, read_cohort, read_unlabelled
from medclf.curate.split import split_cohort
from medclf.errors import CohortError, ReadError, SettingError


def lay(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def labels(cohort):
    return {record.name: record.label for record in cohort.records}


def test_a_folder_per_class(tmp_path):
    lay(tmp_path, "pneumonia/1.png", "normal/1.png", "normal/deep/2.png", "about.txt")
    cohort = read_cohort(tmp_path)
    assert cohort.task == Task(("normal", "pneumonia"))
    assert labels(cohort) == {"normal/1.png": 0, "normal/deep/2.png": 0, "pneumonia/1.png": 1}
    assert cohort.origin == tmp_path
    told = " ".join(cohort.notes)
    assert "1 .txt" in told
    assert "normal (0), pneumonia (1)" in told
    assert "No patient is known" in told


def test_spellings_of_folders_are_not_merged(tmp_path):
    lay(tmp_path, "train/NORMAL/1.png", "train/ill/2.png", "test/normal/3.png", "test/ill/4.png")
    with pytest.raises(CohortError, match=r"differ only in spaces or case: 'NORMAL' \(1\)"):
        read_cohort(tmp_path)
    cohort = read_cohort(tmp_path, Columns(tidy_labels=True))
    assert Counter(r.label for r in cohort.records) == {0: 2, 1: 2}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "images wanted, found nothing"),
        (["a.txt", "b.md"], "images wanted, found 2 other files"),
        (["A/1.png", "A/2.png"], r"two classes or more wanted, found only 'A' \(2 exams\)"),
        (["1.png"], "a folder per class wanted"),
    ],
)
def test_folders_without_classes_are_refused(tmp_path, names, message):
    with pytest.raises(CohortError, match=f"^{tmp_path}: {message}"):
        read_cohort(lay(tmp_path, *names))


def test_what_is_no_data_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"none: .* wanted, nothing found"):
        read_cohort(tmp_path / "none")
    with pytest.raises(ReadError, match=r"a\.txt: .* wanted, found another file"):
        read_cohort(lay(tmp_path, "a.txt") / "a.txt")
    with pytest.raises(ReadError, match=r"bad\.zip"):
        read_cohort(write(tmp_path / "bad.zip", "PK, but no zip"))


def test_the_pattern_and_the_header_tell_patients(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    (tmp_path / "ill").mkdir()
    (tmp_path / "well").mkdir()
    for i, (folder, patient) in enumerate([("ill", "P1"), ("ill", "P1"), ("well", "P2")]):
        dataset.PatientID, dataset.PatientSex = patient, "F"
        dataset.SeriesInstanceUID = generate_uid()
        dataset.save_as(tmp_path / folder / f"s{i}.dcm")
    cohort = read_cohort(tmp_path)
    assert [r.patient for r in cohort.records] == ["P1", "P1", "P2"]
    assert cohort.records[0].facts["sex"] == "F"
    assert any("DICOM headers" in note for note in cohort.notes)
    cohort = read_cohort(tmp_path, Columns(patient_pattern=r"/s([01])"))
    assert [r.patient for r in cohort.records] == ["0", "1", "well/s2.dcm"]
    cohort = read_cohort(tmp_path, Columns(patient="none"))
    assert [r.patient for r in cohort.records] == [r.name for r in cohort.records]
    with pytest.raises(SettingError, match="not both"):
        read_cohort(tmp_path, Columns(patient="id", patient_pattern="(.)"))


def test_exams_to_judge_bring_the_facts_that_training_had(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    for i in range(2):
        dataset.SeriesInstanceUID, dataset.PatientSex = generate_uid(), "F"
        dataset.save_as(tmp_path / f"s{i}.dcm")
    table = write(tmp_path / "t.csv", "path,label,patient\ns0.dcm,ill,A\ns1.dcm,well,B\n")
    for record, known in zip(
        read_unlabelled(table).records, read_cohort(table).records, strict=True
    ):
        assert record.facts.items() >= known.facts.items()
        assert record.facts["sex"] == "F"


TABLE = """path,label,patient_id,split,age,sex
img/a.png,ill,7,Train,65,M
img/b.png,well,7.0,train,,F
img/c.png,ill,,test,40,
,ill,9,test,1,M
img/c2.png,,9,test,1,M
"""


def test_a_table_beside_its_images(tmp_path):
    lay(tmp_path, "img/a.png", "img/b.png", "img/c.png", "img/c2.png")
    cohort = read_cohort(write(tmp_path / "t.csv", TABLE))
    a, b, c = cohort.records
    assert a.source == Source(tmp_path / "img/a.png")
    assert (a.name, a.patient, a.split, a.facts) == (
        "img/a.png", "7", "train", {"age": 65.0, "sex": "M"}
    )  # fmt: skip
    assert (b.patient, b.facts) == ("7", {"age": None, "sex": "F"})
    assert (c.patient, c.split, c.facts["sex"]) == ("img/c.png", "test", None)
    assert cohort.task.classes == ("ill", "well")
    told = " ".join(cohort.notes)
    for note in (
        "Left out: 1 row without an image.",
        "Left out: 1 row without a label.",
        "1 exam without a patient",
        "'patient_id' is read as the patient",
    ):
        assert note in told
    assert read_cohort(tmp_path).records == cohort.records


def test_a_table_finds_its_images_elsewhere(tmp_path):
    table = write(tmp_path / "t.csv", "image_id,dx\nISIC_1,nv\nISIC_2,mel\n")
    with pytest.raises(CohortError, match=r"2 of 2 files missing: ISIC_1, ISIC_2; .* --images"):
        read_cohort(table)
    lay(tmp_path / "store", "x/ISIC_1.jpg", "ISIC_2.jpg")
    found = read_cohort(table, Columns(images=tmp_path / "store"))
    assert found.records[0].source == Source(tmp_path / "store/x/ISIC_1.jpg")
    with zipfile.ZipFile(tmp_path / "store.zip", "w") as archive:
        archive.writestr("x/ISIC_1.jpg", b"")
        archive.writestr("ISIC_2.jpg", b"")
    found = read_cohort(table, Columns(images=tmp_path / "store.zip"))
    assert found.records[0].source == Source(tmp_path / "store.zip", "x/ISIC_1.jpg")


def test_a_table_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("set/t.csv", "path,label\nimg/a.png,x\nimg/b.png,y\n")
        for name in ("set/img/a.png", "set/img/b.png", "set/other/img/a.png"):
            archive.writestr(name, b"")
    cohort = read_cohort(tmp_path / "all.zip")
    assert cohort.records[0].source == Source(tmp_path / "all.zip", "set/img/a.png")
    assert labels(cohort) == {"img/a.png": 0, "img/b.png": 1}


def test_a_table_that_names_no_images_is_not_used(tmp_path):
    lay(tmp_path, "a/1.png", "b/2.png")
    write(tmp_path / "people.csv", "name,age\nx,1\n")
    cohort = read_cohort(tmp_path)
    assert cohort.task.classes == ("a", "b")
    assert "The table people.csv has no column that names images: not used." in cohort.notes
    for name in ("t.csv", "u.csv"):
        write(tmp_path / name, "path,label\na/1.png,x\nb/2.png,y\n")
    with pytest.raises(CohortError, match=r"one table .* wanted, found t\.csv, u\.csv"):
        read_cohort(tmp_path)


def write_patients(folder, *patients):
    """Write one DICOM file of each patient."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    for n, patient in enumerate(patients):
        path = folder / "ab"[n % 2] / f"{n}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.PatientID, dataset.SeriesInstanceUID = patient, generate_uid()
        dataset.save_as(path)


SHEET = "patient_id,label\nP0,ill\nP1,well\nP2,ill\n"


def test_a_sheet_beside_a_zip_of_dicom_files_tells_the_labels(tmp_path):
    write_patients(tmp_path / "tree", "P0", "P1", "P2")
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for path in sorted((tmp_path / "tree").rglob("*.dcm")):
            archive.write(path, path.relative_to(tmp_path / "tree").as_posix())
            path.unlink()
    write(tmp_path / "labels.csv", SHEET)
    cohort = read_cohort(tmp_path)
    assert cohort.task.classes == ("ill", "well")
    assert sorted(record.patient for record in cohort.records) == ["P0", "P1", "P2"]
    assert "The images are those in images.zip." in cohort.notes
    assert not any("not used" in note for note in cohort.notes)


def test_of_two_sheets_of_labels_none_is_chosen(tmp_path):
    write_patients(tmp_path, "P0", "P1", "P2")
    for name in ("labels.csv", "old.csv"):
        write(tmp_path / name, SHEET)
    with pytest.raises(CohortError, match=r"found labels\.csv, old\.csv: name the one"):
        read_cohort(tmp_path)
    assert len(read_cohort(tmp_path / "old.csv", Columns(images=tmp_path)).records) == 3


def test_a_sheet_without_labels_tells_facts_of_exams_to_judge(tmp_path):
    write_patients(tmp_path, "P0", "P1")
    write(tmp_path / "facts.csv", "patient_id,psa\nP0,4.5\nP1,9\n")
    assert [record.facts["psa"] for record in read_unlabelled(tmp_path).records] == [4.5, 9]


def test_exams_of_which_nothing_tells_the_patient_are_counted(tmp_path):
    write_patients(tmp_path, "A", "", "A", "")
    cohort = read_cohort(tmp_path)
    assert [record.patient for record in cohort.records] == ["A", "A", "b/1.dcm", "b/3.dcm"]
    assert "2 exams without a patient: each counts as one of its own." in cohort.notes


def test_a_column_of_patients_counts_also_where_it_equals_that_of_exams(tmp_path):
    write_patients(tmp_path, "ANON", "ANON")
    text = "path,label,exam,patient\na/0.dcm,x,P0,P0\nb/1.dcm,y,P1,P1\n"
    cohort = read_cohort(write(tmp_path / "t.csv", text))
    assert [record.patient for record in cohort.records] == ["P0", "P1"]
    assert not any("patient" in note and "without" in note for note in cohort.notes)


@pytest.mark.parametrize("dtype", ["parquet", "csv"])
def test_whole_numbers_as_labels(tmp_path, dtype):
    lay(tmp_path, *(f"{n}.png" for n in range(4)))
    frame = pd.DataFrame({"path": [f"{n}.png" for n in range(4)], "y": [0, 1, None, 2]})
    path = tmp_path / f"t.{dtype}"
    frame.to_parquet(path) if dtype == "parquet" else frame.to_csv(path, index=False)
    cohort = read_cohort(path)
    assert cohort.task == Task(("0", "1", "2"))
    assert any("--kind ranked" in note for note in cohort.notes)
    assert read_cohort(path, Columns(kind="ranked")).task == Task(("0", "1", "2"), "ranked")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\n1.png,a\n1.png,a\n2.png,b\n", r"1 image in several rows: 1\.png"),
        ("path,label\n1.png,a\n./1.png,b\n", r"1 image in several rows: 1\.png"),
        ("path,label\n1.png,a\n3.png,b\n4.png,b\n", r"2 of 3 files missing: 3\.png, 4\.png"),
        ("path,label\n1.png,Normal \n2.png,normal\n", r"'Normal ' \(1\), 'normal' \(1\)"),
        ("path,label\n1.png,0.25\n2.png,1.5\n", "measurements"),
        ("path,label\n1.png,\n2.png,\n", "no row has both an image and a label"),
        ("path,label,split\n1.png,a,train\n2.png,b,fold 1\n", "'split', found 'fold 1'"),
        (
            "path,label,exam\n1.png,a,1\n2.png,b,1\n",
            "exam '1' has more than one label: 'a' and 'b'; .*--exam",
        ),
    ],
)
def test_tables_that_contradict_themselves(tmp_path, text, message):
    lay(tmp_path, "1.png", "2.png")
    with pytest.raises(CohortError, match=message) as caught:
        read_cohort(write(tmp_path / "t.csv", text))
    assert str(tmp_path / "t.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_findings_that_coexist(tmp_path):
    lay(tmp_path, "1.png", "2.png", "3.png", "4.png")
    table = write(
        tmp_path / "t.csv", "path,finding\n1.png,A|B\n2.png,No Finding\n3.png,B\n4.png,A\n"
    )
    cohort = read_cohort(table)
    assert cohort.task == Task(("A", "B"), "coexisting")
    assert list(labels(cohort).values()) == [(1, 1), (0, 0), (0, 1), (1, 0)]
    text = "path,B,A\n1.png,1,1\n2.png,0,0.0\n3.png,True,false\n4.png,,1\n"
    table = write(tmp_path / "u.csv", text)
    cohort = read_cohort(table, Columns(label=("B", "A")))
    assert cohort.task == Task(("B", "A"), "coexisting")
    assert list(labels(cohort).values()) == [(1, 1), (0, 0), (1, 0)]
    assert "Left out: 1 row without a label." in cohort.notes
    one_hot = write(tmp_path / "v.csv", "path,B,A\n1.png,1,0\n2.png,0,1\n")
    cohort = read_cohort(one_hot, Columns(label=("B", "A"), kind="exclusive"))
    assert (cohort.task, labels(cohort)) == (Task(("B", "A")), {"1.png": 0, "2.png": 1})
    wrong = write(tmp_path / "w.csv", "path,B,A\n1.png,1,-1\n")
    with pytest.raises(CohortError, match="0 or 1 wanted in the column 'A', found '-1'"):
        read_cohort(wrong, Columns(label=("B", "A")))


def test_several_images_in_columns(tmp_path):
    lay(tmp_path, "a1.png", "a2.png", "b1.png")
    table = write(
        tmp_path / "t.csv", "id,image_lcc,image_rmlo,label\n1,a1.png,a2.png,x\n2,b1.png,,y\n"
    )
    a, b = read_cohort(table).records
    assert {name: s.path.name for name, s in a.images.items()} == {
        "lcc": "a1.png",
        "rmlo": "a2.png",
    }
    assert list(b.images) == ["lcc"]
    assert a.facts == {"id": 1.0}


def test_several_rows_of_an_exam(tmp_path):
    lay(tmp_path, "1.png", "2.png", "3.png", "4.png")
    text = """path,label,study,patient,view,age,dose
1.png,x,s1,p,PA,50,1
2.png,x,s1,p,L,50,2
3.png,y,s2,q,PA,60,1
4.png,y,s2,q,PA,60,1
"""
    table = write(tmp_path / "t.csv", text)
    cohort = read_cohort(table)
    one, two = cohort.records
    assert (one.name, one.patient, list(one.images)) == ("s1", "p", ["PA", "L"])
    assert list(two.images) == ["PA", "PA_2"]
    assert any("one view in an exam are numbered" in note for note in cohort.notes)
    assert one.facts == {"age": 50.0, "dose": None}
    assert "Facts that differ within an exam count as missing: dose." in cohort.notes
    numbered = read_cohort(table, Columns(view="none")).records[0]
    assert list(numbered.images) == ["image_1", "image_2"]
    assert numbered.facts == {"age": 50.0, "dose": None, "view": None}
    assert len(read_cohort(table, Columns(exam="none")).records) == 4
    singles = write(tmp_path / "u.csv", "path,label,exam\n1.png,x,s1\n2.png,y,s2\n")
    assert [list(r.images) for r in read_cohort(singles).records] == [["image"], ["image"]]


def test_one_view_of_both_sides_is_refused(tmp_path):
    """Else "CC" would be the left side of one exam and the right side of the next."""
    lay(tmp_path, *(f"{n}.png" for n in range(4)))
    lines = ["0.png,x,1,CC,L", "1.png,x,1,CC,R", "2.png,y,2,CC,R", "3.png,y,2,CC,L"]
    table = write(tmp_path / "t.csv", "\n".join(["path,label,exam,view,laterality", *lines]))
    with pytest.raises(CohortError, match=r"found 'CC' of several sides \(laterality\): name by"):
        read_cohort(table)
    numbered = read_cohort(table, Columns(view="none"))
    assert list(numbered.records[0].images) == ["image_1", "image_2"]


def test_packed_data_sets_come_as_published(tmp_path):
    arrays = {}
    for split, n in (("train", 6), ("val", 2), ("test", 2)):
        arrays[f"{split}_images"] = np.zeros((n, 28, 28), np.uint8)
        arrays[f"{split}_labels"] = np.arange(n)[:, None] % 2
    np.savez(tmp_path / "breastmnist.npz", **arrays)
    cohort = read_cohort(tmp_path / "breastmnist.npz")
    assert cohort.task.classes[0] == "malignant"
    assert Counter(r.split for r in cohort.records) == {"train": 6, "val": 2, "test": 2}
    with pytest.raises(SettingError, match="has no columns to choose"):
        read_cohort(tmp_path / "breastmnist.npz", Columns(label="y"))
    with pytest.raises(CohortError, match=r"found data sets: name one of breastmnist\.npz"):
        read_cohort(tmp_path)


def test_ham10000(real_data):
    folder = real_data / "ham10000"
    cohort = read_cohort(folder / "HAM10000_metadata.csv", Columns(images=folder / "images.zip"))
    assert len(cohort.records) == 10_015
    assert len({r.patient for r in cohort.records}) == 7_470
    assert cohort.task.classes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    first = cohort.records[0]
    assert first.source == Source(folder / "images.zip", "images/ISIC_0027419.jpg")
    assert (first.facts["age"], first.facts["sex"]) == (80.0, "male")
    assert any("'lesion_id' is read as the patient" in note for note in cohort.notes)
    assert read_cohort(folder).records == cohort.records


def test_covid_chestxray(real_data, tmp_path):
    folder = real_data / "covid_chestxray"
    with pytest.raises(CohortError, match="filename, kept_file may each be the path"):
        read_cohort(folder)
    with pytest.raises(CohortError, match=r"5 images in several rows: 000001-24\.jpg"):
        read_cohort(folder, Columns(path="kept_file"))
    frame = pd.read_csv(folder / "metadata.csv", dtype=str, keep_default_na=False)
    twice = frame["kept_file"].duplicated(keep=False) & (frame["kept_file"] != "")
    frame[~twice].to_csv(tmp_path / "mended.csv", index=False)
    cohort = read_cohort(
        tmp_path / "mended.csv", Columns(path="kept_file", images=folder / "images.zip")
    )
    assert len(cohort.records) == 628
    assert "Left out: 35 rows without an image." in cohort.notes
    assert cohort.records[0].facts["age"] == 65.0
    assert cohort.records[0].patient == "2"
    assert "COVID-19, ARDS" in cohort.task.classes
    with pytest.raises(CohortError, match="class Influenza has"):
        split_cohort(cohort, seed=0)
