"""Several data sets as one cohort: named by a file, told apart, with classes of their own."""

import csv

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.curate.cohort import Columns, read_cohort
from medclf.curate.split import split_cohort
from medclf.errors import CohortError, ReadError, SettingError


def write_set(folder, name, classes, split=False, extra=()):
    """Write a table of exams whose files need not be there: no pixel is read."""
    with (folder / f"{name}.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", "patient", *(["split"] if split else []), *extra])
        for n in range(24):
            part = [("train", "train", "val", "test")[n // 2 % 4]] if split else []
            row = [f"{n}.npy", classes[n % len(classes)], n // 2, *part, *(["x"] * len(extra))]
            table.writerow(row)
            np.save(folder / f"{n}.npy", np.zeros((4, 4), np.uint8))


def write_list(folder, text=""):
    place = folder / "sets.toml"
    place.write_text(text or '[breast]\ndata = "breast.csv"\n[chest]\ndata = "chest.csv"\n')
    return place


def test_exams_of_several_sets_are_told_apart(tmp_path):
    write_set(tmp_path, "breast", ("normal", "mass"))
    write_set(tmp_path, "chest", ("normal", "pneumonia"))
    cohort = read_cohort(write_list(tmp_path))
    assert cohort.task.sets == (("breast", ("normal", "mass")), ("chest", ("normal", "pneumonia")))
    assert cohort.task.classes == ("normal", "mass", "pneumonia")
    assert cohort.task.among("chest") == (True, False, True)
    first, other = cohort.records[0], cohort.records[24]
    assert (first.name, other.name) == ("breast/0.npy", "chest/0.npy")
    assert first.patient != other.patient
    assert [r.facts["dataset"] for r in (first, other)] == ["breast", "chest"]
    assert "Classes of one name are one class: normal." in cohort.notes
    assert {r.split for r in split_cohort(cohort, 0).records} == {"train", "val", "test"}


def test_splits_are_kept_and_dealt_where_there_are_none(tmp_path):
    write_set(tmp_path, "breast", ("normal", "mass"), split=True)
    write_set(tmp_path, "chest", ("mass", "normal"))
    cohort = read_cohort(write_list(tmp_path))
    assert not cohort.task.sets
    assert cohort.task == Task(("normal", "mass"))
    assert cohort.records[4].split == "val"
    for name in ("breast", "chest"):
        parts = {r.split for r in cohort.records if r.facts["dataset"] == name}
        assert parts == {"train", "val", "test"}


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ('[breast]\ndata = "breast.csv"', CohortError, "each of several data sets"),
        ("breast", ReadError, "cannot read this list"),
        ('[a]\ndata = "breast.csv"\nlabels = "x"\n[b]', SettingError, "nearest is a.label"),
        ('[a]\ndata = "breast.csv"\nlabel = 3\n[b]', SettingError, "a.label is text"),
        ('[a]\ndata = "breast.csv"\nslices = "no"\n[b]', SettingError, "a.slices is true or"),
        ('[a]\ndata = "breast.csv"\nview = ["x"]\n[b]', SettingError, "a.view is text, not"),
        ('[a]\ndata = "breast.csv"\nhospital = 1\n[b]', SettingError, "a.hospital is text, not"),
        ('[a]\nlabel = "label"\n[b]', SettingError, "a.data wanted"),
        (
            '[a]\ndata = "breast.csv"\n[b]\ndata = "breast.csv"\n'
            'kind = "ranked"\nclasses = ["normal", "mass"]',
            CohortError,
            "found a: exclusive normal, mass; b: ranked",
        ),
        ('[a]\ndata = "own.csv"\n[b]\ndata = "own.csv"', CohortError, "column 'dataset' itself"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, text, kind, told):
    write_set(tmp_path, "breast", ("mass", "normal"))
    write_set(tmp_path, "own", ("mass", "normal"), extra=("dataset",))
    with pytest.raises(kind, match=told):
        read_cohort(write_list(tmp_path, text))


def test_words_with_commas_are_several_as_on_the_command_line(tmp_path):
    write_set(tmp_path, "breast", ("x", "y"))
    text = '[a]\ndata = "breast.csv"\nclasses = "y,x"\n[b]\ndata = "breast.csv"\nclasses = "y, x"'
    cohort = read_cohort(write_list(tmp_path, text))
    assert cohort.task == Task(("y", "x"))


def test_patients_of_one_number_are_one_person_where_the_hospital_is_one(tmp_path):
    write_set(tmp_path, "breast", ("normal", "mass"))
    write_set(tmp_path, "chest", ("normal", "mass"))
    cohort = read_cohort(write_list(tmp_path))
    assert len({record.patient for record in cohort.records}) == 24
    assert cohort.notes[-1].startswith("12 patient numbers of several data sets: each counts as")
    named = '[breast]\ndata = "breast.csv"\nhospital = "north"\n'
    cohort = read_cohort(write_list(tmp_path, named + named.replace("breast", "chest")))
    assert len({record.patient for record in cohort.records}) == 12
    assert not any("patient number" in note for note in cohort.notes)


def test_the_file_says_the_columns(tmp_path):
    with pytest.raises(SettingError, match="says what the columns of each data set mean"):
        read_cohort(write_list(tmp_path), Columns(label="x"))
