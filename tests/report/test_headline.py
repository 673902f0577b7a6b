from dataclasses import replace

import pytest

from medclf.evaluate.interval import Figure
from medclf.report.headline import cautions, tell_head, tile


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("binary", ["AUC", "Accuracy", "Sensitivity", "Specificity"]),
        ("exclusive", ["AUC", "Accuracy", "Balanced accuracy", "F1"]),
        ("ranked", ["AUC", "Quadratic kappa", "Accuracy", "Balanced accuracy"]),
        ("coexisting", ["AUC", "Average precision", "Sensitivity", "Specificity"]),
    ],
)
def test_the_main_figures_are_those_of_the_task(composed, kind, names):
    assert [tile.name for tile in tell_head(composed(kind)).tiles] == names


def test_a_figure_without_interval_stands_alone():
    shown = tile("CPM", Figure(0.5))
    assert (shown.name, shown.value, shown.span, shown.mark.low) == ("CPM", ".500", "", "")


def test_the_head_names_run_and_data(composed):
    meta = tell_head(composed("binary")).meta
    assert meta == ("1 May 2025", "medclf 0.1.0", "seed 7", "data 0123456789ab")


def test_shares_are_told_as_counts_among_100(composed):
    contents = composed("binary")
    figures = contents.test.scores.figures
    found, cleared = (f"{100 * figures[n].value:.0f} (" for n in ("sensitivity", "specificity"))
    sentence = tell_head(contents).statement[1]
    assert f"Of 100 exams with “nodule” it finds {found}" in sentence
    assert f"of 100 with “healthy” it clears {cleared}" in sentence


def test_a_small_sample_is_warned_of(composed, judge):
    contents = composed("binary")
    few = judge(contents.test.predictions.select(slice(0, 16)))
    words = " ".join(cautions(replace(contents, test=few)))
    width = few.scores.figures["auc"].high - few.scores.figures["auc"].low
    assert f"interval of the AUC is {width:.2f}".replace(" 0.", " .") in words
    assert "8 patients cannot tell it more closely" in words
    assert "healthy (8), nodule (8)" in words
    assert words.endswith("One hospital only.")


def test_a_large_sample_is_not(predict, judge, composed):
    contents = composed("binary")
    many = judge(predict(contents.task, 600))
    assert cautions(replace(contents, test=many)) == contents.limits
