import csv
from dataclasses import replace

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.errors import CohortError, ReadError, RunError, SettingError
from medclf.evaluate.table import read_predictions, write_predictions


def assert_same(first, second):
    for name in ("exams", "patients", "splits", "target", "probabilities", "spread"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert dict(first.facts) == dict(second.facts)


@pytest.mark.parametrize(
    ("classes", "kind"), [(2, "exclusive"), (5, "ranked"), (3, "coexisting"), (1, "coexisting")]
)
def test_what_was_written_is_read_to_the_last_bit(tmp_path, predicted, classes, kind):
    made = predicted(50, classes, kind)
    target = made.target.copy()
    target[3] = -1
    target[4] = 0
    facts = {"site": ("007", None, "", "'a", 'x,y\n"z"', "nan", 0.1 + 0.2, 1e300, -0.0, 3) * 5}
    made = replace(made, target=target, facts=made.facts | facts)
    write_predictions(tmp_path / "predictions.csv", made)
    assert_same(read_predictions(tmp_path / "predictions.csv", made.task), made)
    assert [p.name for p in tmp_path.iterdir()] == ["predictions.csv"]


def test_awkward_names_survive(tmp_path, predicted):
    made = predicted(3, 3, "coexisting")
    task = Task(("a|b", "50 % off", "c,d"), "coexisting")
    exams = np.array(["ä/1.png", 'say "no"', "bytes \udcff\r\n"])
    made = replace(made, task=task, exams=exams, target=np.array([[1, 1, 0], [0, 0, 0], [1, 1, 1]]))
    write_predictions(tmp_path / "p.csv", made)
    assert_same(read_predictions(tmp_path / "p.csv", task), made)


def test_columns_are_those_that_an_auditor_expects(tmp_path, predicted):
    made = predicted(4, 2)
    write_predictions(tmp_path / "p.csv", made)
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("exam", "patient", "split", "label", "p_class 0", "p_class 1"),
        *("spread_class 0", "spread_class 1", "fact_sex", "fact_age_years"),
    ]
    assert rows[2]["label"] == made.task.classes[made.target[2]]
    assert float(rows[2]["p_class 1"]) == made.probabilities[2, 1]


def test_empty_table_survives(tmp_path, predicted):
    made = predicted(4, 2).select(np.zeros(4, bool))
    write_predictions(tmp_path / "p.csv", made)
    assert len(read_predictions(tmp_path / "p.csv", made.task)) == 0


def test_selects_by_mask_and_by_number(predicted):
    made = predicted(10)
    by_mask, by_number = made.select(np.arange(10) > 7), made.select(np.array([8, 9]))
    assert_same(by_mask, by_number)
    assert by_mask.facts["sex"] == made.facts["sex"][8:]


@pytest.mark.parametrize("cut", [1, 2, 30, 200, 700])
def test_a_file_cut_short_is_refused(tmp_path, predicted, cut):
    made, path = predicted(10), tmp_path / "p.csv"
    write_predictions(path, made)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ReadError, match=r"p\.csv"):
        read_predictions(path, made.task)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",test,class 1,", ",test,class 7,", "line .: the label 'class 7' is none of"),
        ("p_class 0", "p_class 9", "columns"),
        ("fact_sex", "sex", "fact_<name>"),
        ("fact_sex", "fact_age_years", "each once"),
        ("exam 1,", "exam 2,", "twice"),
        ("exam 1,", "exam 1,,", "line 3 has"),
        ("\r\nexam 1,", '\r\n"exam 1,', "cannot read"),
    ],
)
def test_a_file_altered_is_refused(tmp_path, predicted, old, new, message):
    made, path = predicted(10), tmp_path / "p.csv"
    write_predictions(path, made)
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode(), 1))
    with pytest.raises(ReadError, match=message):
        read_predictions(path, made.task)


def test_a_number_altered_is_refused(tmp_path, predicted):
    made, path = predicted(10), tmp_path / "p.csv"
    write_predictions(path, made)
    for new in ("x", "nan", "2.0"):
        text = path.read_text().replace(repr(float(made.probabilities[4, 0])), new)
        (tmp_path / "q.csv").write_text(text)
        with pytest.raises(ReadError, match=r"q\.csv: (line 6|exam 4)"):
            read_predictions(tmp_path / "q.csv", made.task)


def test_files_that_are_not_there(tmp_path, predicted):
    with pytest.raises(ReadError, match=r"none\.csv"):
        read_predictions(tmp_path / "none.csv", Task(("a", "b")))
    with pytest.raises(RunError, match="cannot be written"):
        write_predictions(tmp_path / "no folder" / "p.csv", predicted(3))


def test_a_failed_write_leaves_the_old_file(tmp_path, predicted, monkeypatch):
    path = tmp_path / "p.csv"
    write_predictions(path, predicted(3))
    before = path.read_bytes()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match="No space left"):
        write_predictions(path, predicted(5))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"target": np.array([0, 1, 2])}, SettingError),
        ({"target": np.array([0, 1, -2])}, SettingError),
        ({"target": np.array([0.0, 1.0, 0.0])}, SettingError),
        ({"target": np.array([0, 1])}, SettingError),
        ({"patients": np.array(["a"])}, SettingError),
        ({"spread": np.full((3, 2), np.nan)}, SettingError),
        ({"spread": np.full((3, 2), -1.0)}, SettingError),
        ({"probabilities": np.full((3, 2), np.nan)}, SettingError),
        ({"probabilities": np.full((3, 2), 0.4)}, SettingError),
        ({"probabilities": np.array([[1.5, -0.5]] * 3)}, SettingError),
        ({"probabilities": np.full((3, 3), 1 / 3)}, SettingError),
        ({"facts": {"age": (1.0, 2.0)}}, SettingError),
        ({"exams": np.array(["a", "b", "a"])}, CohortError),
    ],
)
def test_contradictions_are_refused(predicted, change, error):
    with pytest.raises(error):
        replace(predicted(3), **change)


def test_findings_are_labelled_in_whole_or_not(predicted):
    with pytest.raises(SettingError, match="every finding"):
        replace(predicted(1, 2, "coexisting"), target=np.array([[1, -1]]))
