"""Exams that a run is measured on are read as its own were."""

from dataclasses import asdict, replace

import pytest

from medclf.curate.cohort import AS_FOUND, Columns
from medclf.errors import CohortError
from medclf.judging import read_like
from medclf.learn.run import Run

TABLE = """path,label,dx,patient,person,place
a.png,0,cyst,1,x,north
b.png,1,nodule,2,x,south
c.png,1,cyst,3,y,south
"""


@pytest.fixture
def data(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.png").touch()
    (tmp_path / "exams.csv").write_text(TABLE)
    return tmp_path / "exams.csv"


def run_of(columns, origin="/elsewhere.csv", classes=("cyst", "nodule"), kind="exclusive"):
    task = {"classes": columns.classes or classes, "kind": kind}
    data = {"origin": str(origin), "columns": asdict(columns)}
    return Run(None, None, {"data": data, "task": task})


@pytest.mark.parametrize(
    ("classes", "kind", "words", "labels"),
    [
        (("grade 0", "grade 1", "grade 2"), "ranked", ("grade 2", "grade 1", "grade 2"), [2, 1, 2]),
        (
            ("edema", "mass"),
            "coexisting",
            ("mass", "no finding", "edema"),
            [(0, 1), (0, 0), (1, 0)],
        ),
        (("cyst", "nodule", "mass"), "exclusive", ("nodule",) * 3, [1, 1, 1]),
    ],
)
def test_the_run_tells_the_classes_and_their_kind(data, classes, kind, words, labels):
    rows = [f"{name}.png,{word}" for name, word in zip("abc", words, strict=True)]
    data.write_text("\n".join(["path,label", *rows]))
    cohort = read_like(run_of(AS_FOUND, classes=classes, kind=kind), data, AS_FOUND)
    assert (cohort.task.kind, cohort.task.classes) == (kind, classes)
    assert [record.label for record in cohort.records] == labels


def test_what_was_said_of_the_training_holds_for_other_data(data):
    run = run_of(Columns(label="DX", patient="person", classes=("nodule", "cyst"), images="/old"))
    cohort = read_like(run, data, AS_FOUND)
    assert cohort.task.classes == ("nodule", "cyst")
    assert [record.label for record in cohort.records] == [1, 0, 1]
    assert [record.patient for record in cohort.records] == ["x", "x", "y"]
    told = "As was said of the run's data: --label DX --patient person --classes nodule,cyst."
    assert told in cohort.notes


def test_what_is_said_now_wins_and_columns_that_are_not_there_are_no_matter(data):
    run = run_of(Columns(label="dx", patient="owner", classes=("cyst", "nodule")))
    cohort = read_like(run, data, Columns(label="label", classes=("0", "1")))
    assert [record.label for record in cohort.records] == [0, 1, 1]
    assert [record.patient for record in cohort.records] == ["1", "2", "3"]
    pattern = run_of(Columns(patient_pattern=r"(\w)\.png"))
    said = Columns(patient="person", label="dx")
    assert [r.patient for r in read_like(pattern, data, said).records] == ["x", "x", "y"]


def test_a_pattern_holds_for_other_data_where_it_fits_and_no_column_tells_patients(data):
    for pattern in (r"([ab])", r"^(pat\d+)/"):
        said = Columns(label="dx", patient_pattern=pattern)
        cohort = read_like(run_of(said), data, AS_FOUND)
        assert [r.patient for r in cohort.records] == ["1", "2", "3"]
        assert "As was said of the run's data: --label dx." in cohort.notes
    bare = data.with_name("bare.csv")
    bare.write_text(TABLE.replace("patient", "owner"))
    fits = run_of(Columns(label="dx", patient_pattern=r"([ab])"))
    assert [r.patient for r in read_like(fits, bare, AS_FOUND).records] == ["a", "b", "c.png"]
    assert read_like(run_of(said), bare, AS_FOUND).records[0].patient == "a.png"
    own = run_of(replace(said, patient_pattern=r"([ab])"), data)
    assert [r.patient for r in read_like(own, data, AS_FOUND).records] == ["a", "b", "3"]


def test_an_error_tells_what_was_said_of_the_run_s_data(data):
    run = run_of(Columns(label="dx", series="thorax", classes=("cyst", "mass")))
    told = r"nodule.*\. As was said of the run's data: --label dx --classes cyst,mass --series th"
    with pytest.raises(CohortError, match=told):
        read_like(run, data, AS_FOUND)


def test_sites_and_images_of_a_run_are_those_of_its_own_data(data):
    said = Columns(label="dx", hold_out="place=south", images=data.parent / "gone")
    assert {r.split for r in read_like(run_of(said), data, AS_FOUND).records} == {""}
    own = run_of(replace(said, images=None), data)
    (data.parent / "link").symlink_to(data.parent)
    for path in (data, data.parent / "link" / ".." / data.parent.name / data.name):
        splits = [r.split for r in read_like(own, path, AS_FOUND).records]
        assert splits == ["train", "test", "test"]
    with pytest.raises(CohortError, match="no fact 'site'"):
        read_like(own, data, Columns(hold_out="site=east"))
