import numpy as np
import pytest

from medclf.evaluate.interval import Figure
from medclf.report.mark import Axis, shared_axis


def test_a_figure_lies_where_its_value_is():
    mark = Axis(0.5, 1.0, mean=0.75).mark(Figure(0.9, 0.85, 0.95))
    assert (mark.value, mark.low, mark.high, mark.mean) == ("80.00%", "70.00%", "90.00%", "50.00%")


def test_what_is_not_known_is_not_drawn():
    assert Axis().mark(Figure(np.nan)).value == ""
    mark = Axis().mark(Figure(0.5, 0.1, np.nan))
    assert (mark.value, mark.low, mark.high) == ("50.00%", "", "")


def test_a_value_beyond_the_axis_stays_at_its_end():
    assert Axis(0.8, 1.0).mark(Figure(0.5, 0.4, 0.9)).value == "0.00%"


@pytest.mark.parametrize(
    ("figures", "low"),
    [
        ([Figure(0.95, 0.9, 1.0)], 0.8),
        ([Figure(0.95, 0.59, 1.0), Figure(np.nan)], 0.4),
        ([Figure(0.7, 0.6, 0.8)], 0.6),
        ([Figure(np.nan)], 0.0),
        ([Figure(-0.2, -0.5, 0.1)], -0.6),
    ],
)
def test_a_shared_axis_holds_all_figures(figures, low):
    axis = shared_axis(figures)
    assert axis.low == pytest.approx(low)
    assert axis.high == 1.0


def test_ticks_stand_at_both_ends_and_between():
    ticks = Axis(0.6, 1.0).ticks
    assert [(t.place, t.text) for t in ticks] == [
        ("0.00%", ".60"),
        ("50.00%", ".80"),
        ("100.00%", "1.00"),
    ]
