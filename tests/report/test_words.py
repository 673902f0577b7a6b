import numpy as np
import pytest

from medclf.evaluate.interval import Figure
from medclf.report.words import count, name_of, number, of_100, percent, span


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9526, ".953"),
        (1.0, "1.000"),
        (0.9999, "1.000"),
        (0.0, ".000"),
        (-0.0001, ".000"),
        (-0.25, "−.250"),
        (12.3456, "12.346"),
        (np.nan, "–"),
        (np.inf, "–"),
        (None, "–"),
    ],
)
def test_numbers_are_written_as_statisticians_do(value, text):
    assert number(value) == text


def test_an_interval_needs_both_ends():
    assert span(Figure(0.5, 0.4, 0.6)) == ".400 to .600"
    assert span(Figure(0.5, 0.0, np.inf)) == span(Figure(0.5)) == ""


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0"), (1.0, "100"), (0.998, "99.8"), (0.004, "0.4"), (0.926, "93"), (0.995, "99.5")],
)
def test_a_share_that_is_not_whole_is_never_told_as_all_or_none(share, text):
    assert of_100(Figure(share)) == text


def test_counts_and_names():
    assert count(2, "class") == "2 classes"
    assert percent(0.005).startswith("0") or percent(0.005).startswith("1")
    assert name_of("auc") == "AUC"
    assert name_of("top_5_share") == "Top 5 share"
