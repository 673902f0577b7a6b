import numpy as np
import pytest

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.evaluate.cell import read_fact, read_label, write_fact, write_label


@pytest.mark.parametrize(
    "fact", ["F", "", "12", "'quoted", "nan", "inf", "1_000", " 7 ", 12.0, 0.1, 1e-300, None]
)
def test_facts_keep_their_kind(fact):
    again = read_fact(write_fact(fact))
    assert again == fact
    assert type(again) is type(fact)


def test_a_fact_that_is_not_a_number_is_missing():
    assert read_fact(write_fact(float("nan"))) is None


def test_no_finding_is_not_no_label():
    task = Task(("nodule", "none"), "coexisting")
    for target, text in ([0, 0], "|"), ([-1, -1], ""), ([0, 1], "none"), ([1, 1], "nodule|none"):
        assert write_label(task, np.array(target)) == text
        assert read_label(task, text) == target


def test_unknown_labels_are_refused():
    with pytest.raises(SettingError, match="benign"):
        read_label(Task(("no", "yes")), "benign")
    with pytest.raises(SettingError, match="fluid"):
        read_label(Task(("nodule",), "coexisting"), "nodule|fluid")
