import re

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.report.curves import draw_curves
from medclf.report.style import HUES, INK


def strokes(svg, variable):
    """The paths of one colour, as arrays of points."""
    paths = re.findall(rf'<path d="([^"]+)"[^>]*stroke: var\({variable}\)', svg)
    return [np.array(re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", path), float) for path in paths]


@pytest.fixture(scope="module")
def binary(composed):
    return composed("binary").test


def test_two_classes_have_a_curve_a_band_and_an_operating_point(binary):
    roc, precision = draw_curves(binary)
    for chart in (roc, precision):
        assert [key.shape for key in chart.key] == ["line", "area", "point", "dashed"]
        assert chart.key[0].text.startswith("nodule: area .")
        assert "500 bootstrap samples of the patients" in chart.caption
    value = f"{binary.scores.figures['auc'].value:.3f}".lstrip("0")
    assert f"area {value} (" in roc.key[0].text


def test_the_operating_point_stands_where_the_scores_say(binary):
    roc = draw_curves(binary)[0].svg
    (spot,) = re.findall(r'<use x="([-\d.]+)" y="([-\d.]+)" style="fill: var\(--warm\)', roc)
    curve = max(strokes(roc, "--accent"), key=len)
    (x0, y0), (x1, y1) = curve[0], curve[-1]  # (0, 0) and (1, 1) of the curve's space
    found = (float(spot[0]) - x0) / (x1 - x0), (float(spot[1]) - y0) / (y1 - y0)
    figures = binary.scores.figures
    wanted = 1 - figures["specificity"].value, figures["sensitivity"].value
    assert found == pytest.approx(wanted, abs=2e-3)


def test_several_classes_have_a_line_each_and_a_mean(composed):
    roc, _ = draw_curves(composed("exclusive").test)
    assert [key.colour for key in roc.key] == [INK, INK, *HUES[:4]]
    assert roc.key[0].text.startswith("mean of 4: .")
    assert [key.text.partition(":")[0] for key in roc.key[2:]] == [
        "left",
        "middle",
        "right",
        "none",
    ]


def test_of_many_classes_the_weakest_are_drawn_and_the_rest_summed_up(composed):
    judged = composed("many").test
    roc, _ = draw_curves(judged)
    assert roc.key[-1].text == "mean of the other 19"
    assert roc.key[-1].shape == "dashed"
    areas = {name: c.figures["auc"].value for name, c in judged.scores.per_class.items()}
    drawn = {key.text.partition(":")[0] for key in roc.key if key.text.startswith("class")}
    assert drawn == set(sorted(areas, key=areas.get)[:11])


def test_a_class_that_is_missing_is_not_drawn(composed, judge):
    p = composed("exclusive").test.predictions
    roc, _ = draw_curves(judge(p.select(p.target != 3)))
    assert roc.key[0].text.startswith("mean of 3")
    only = judge(p.select(p.target == 3))
    assert draw_curves(only) == ()


def test_a_single_finding_is_drawn(predict, judge):
    charts = draw_curves(judge(predict(Task(("mass",), "coexisting"), 100)))
    assert charts[0].key[0].text.startswith("mean of 1")
