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


def run_of(columns, origin="/elsewhere.csv"):
    return Run(None, None, {"data": {"origin": str(origin), "columns": asdict(columns)}})


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


def test_sites_and_images_of_a_run_are_those_of_its_own_data(data):
    said = Columns(label="dx", hold_out="place=south", images=data.parent / "gone")
    assert {r.split for r in read_like(run_of(said), data, AS_FOUND).records} == {""}
    own = run_of(replace(said, images=None), data)
    assert [r.split for r in read_like(own, data, AS_FOUND).records] == ["train", "test", "test"]
    with pytest.raises(CohortError, match="no fact 'site'"):
        read_like(own, data, Columns(hold_out="site=east"))
