from dataclasses import replace

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.evaluate.figures import find_figures
from medclf.evaluate.subgroup import find_subgroups, part
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision


def sizes(name, values):
    groups = part(name, values)
    if groups:
        np.testing.assert_array_equal(np.sum(list(groups.values()), 0), 1)
    return {group: int(mask.sum()) for group, mask in groups.items()}


def test_words_by_value_and_missing_apart():
    values = ["M", "F", None, "F", "missing-ish"]
    assert sizes("sex", values) == {"F": 2, "M": 1, "missing-ish": 1, "missing": 1}


def test_ages_by_decade_and_joined_at_the_ends():
    ages = np.repeat(np.arange(15, 95), 2).astype(float).tolist()
    assert sizes("age_years", ages) == {
        "under 30": 30,
        **{f"{a} to {a + 10}": 20 for a in range(30, 80, 10)},
        "80 and over": 30,
    }


def test_numbers_by_quarters_or_by_value():
    assert sizes("dose", list(range(100))) == {
        "under 24.8": 25,
        "24.8 to 49.5": 25,
        "49.5 to 74.2": 25,
        "74.2 and over": 25,
    }
    assert sizes("site", [1, 2, 2, None, float("nan")]) == {"1": 1, "2": 2, "missing": 2}
    assert sizes("count", [0] * 90 + list(range(1, 11))) == {"under 1": 90, "1 and over": 10}
    assert sizes("image", list(range(100))).keys() == sizes("dose", list(range(100))).keys()


def test_large_numbers_that_are_near_each_other_stay_apart():
    dates = [20240101, 20240102, 20240102, 20240103]
    assert sizes("study_date", dates) == {"20240101": 1, "20240102": 2, "20240103": 1}
    assert sizes("dose", [0.1, 0.25, 0.1]) == {"0.1": 2, "0.25": 1}
    assert sizes("scanner", list(range(4500000, 4500100))) == {
        "under 4500024.8": 25,
        "4500024.8 to 4500049.5": 25,
        "4500049.5 to 4500074.2": 25,
        "4500074.2 and over": 25,
    }
    assert next(iter(sizes("length", [1.0, 2, 3, 4, 5, 6, 7, 1e6]))) == "under 2.75"


def test_words_that_name_our_own_groups_join_them():
    assert sizes("sex", ["F", "missing", None, "missing", "F"]) == {"F": 2, "missing": 3}
    many = [f"w{i % 11:02}" for i in range(44)]
    assert sizes("site", [*many, *["others"] * 5, "rare"])["others"] == 6


def test_many_words_keep_the_commonest():
    values = [f"w{i % 20:02}" for i in range(100)] + ["w05"] * 5
    found = sizes("scanner", values)
    assert len(found) == 13
    assert found["w05"] == 10
    assert found["others"] == 40


def test_names_of_their_own_part_nothing():
    assert sizes("accession", [f"n{i}" for i in range(100)]) == {}
    assert sizes("empty", [None] * 5) == {}


def test_sentences_part_nothing_but_a_few_long_names_do():
    notes = [f"{i % 20} {'of a note, ' * 8}" for i in range(100)]
    assert sizes("notes", notes) == {}
    assert len(sizes("hospital", [f"{i % 5} {'of the hospital, ' * 8}" for i in range(100)])) == 5


def test_many_classes_that_are_too_few_are_told_in_short():
    task = Task(tuple(f"class {i}" for i in range(6)))
    exams = 30
    rows = Predictions(
        task,
        np.array([str(i) for i in range(exams)]),
        np.array([str(i) for i in range(exams)]),
        np.full(exams, "test"),
        np.arange(exams) % 6,
        np.full((exams, 6), 1 / 6),
        np.zeros((exams, 6)),
        {"site": tuple("AB"[i % 2] for i in range(exams))},
    )
    a, _ = find_subgroups(rows, Decision(), resamples=20)["site"]
    assert a.note == "too few exams: 5 of class 0, 0 of class 1, 5 of class 2 and 3 more classes"


def test_infinite_numbers_are_missing():
    assert sizes("x", [float("inf"), 1.0]) == {"1": 1, "missing": 1}


def test_figures_are_those_of_the_group_alone(predicted):
    made = predicted(300)
    found = find_subgroups(made, Decision((0.5,)), seed=4, resamples=50)
    assert found.keys() == {"sex", "age_years"}
    women = found["sex"][0]
    mask = np.array(made.facts["sex"]) == "F"
    assert (women.name, women.exams, women.note) == ("F", mask.sum(), "")
    wanted = find_figures(made.select(mask), Decision((0.5,)), 4, 50).whole
    assert women.figures == {name: wanted[name] for name in women.figures}
    assert women.figures.keys() == {
        *("auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity")
    }


def test_a_group_too_small_says_so(predicted):
    made = predicted(100)
    values = np.where(np.arange(100) < 15, "new", "old").tolist()
    made = replace(made, facts={"scanner": tuple(values)}, target=np.arange(100) % 2)
    new, old = find_subgroups(made, Decision((0.5,)), resamples=20)["scanner"]
    assert new.figures == {}
    assert new.note == "too few exams: 8 of class 0, 7 of class 1"
    assert old.figures.keys() >= {"auc"}


@pytest.mark.parametrize("kind", ["exclusive", "coexisting"])
def test_with_several_classes_accuracy_needs_twenty_exams(predicted, kind):
    decision = Decision((0.5,) * 3, coexisting=True) if kind == "coexisting" else Decision()
    made = predicted(100, 3, kind)
    values = ["a"] * 10 + ["b"] * 25 + ["c"] * 65
    made = replace(made, facts={"site": tuple(values)})
    a, b, c = find_subgroups(made, decision, resamples=20)["site"]
    assert a.figures == {}
    assert b.figures.keys() == {"accuracy"}
    assert "too few" in b.note
    assert c.figures.keys() == {"auc", "accuracy", "balanced_accuracy"}


def test_a_fact_that_parts_nothing_is_left_out(predicted):
    made = replace(predicted(50), facts={"site": ("one",) * 50})
    assert find_subgroups(made, Decision((0.5,)), resamples=20) == {}
