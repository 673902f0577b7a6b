"""Days in a column of a table: moved where they are plain, blanked or left out where not."""

import pytest

from medclf.curate.deidentify.days import holds_days, move_days


def test_one_day_makes_a_column_of_days_and_the_rest_goes(key):
    cells = ["unknown", "2019-05-14", "14.05.2019 10:15", "03/04/2019", "03.04.19", ""]
    told, out = move_days("seen", cells, ["a"] * 6, key, kept=False)
    assert told == "date, 3 cells blanked"
    assert [bool(cell) for cell in out] == [False, True, True, False, False, False]
    assert out[2].endswith(" 10:15")
    assert "2019" not in out[1]


@pytest.mark.parametrize(
    "cell",
    ["03/04/2019", "3.4.19", "3-4-19", "14 May 2019", "14. März 2019", "May 14, 2019", "Mai 2019",
     "05/2019", "2019-05", "20190514101500", "03/04/2019 10:15 PM", "seen on 03.04.2019"],
)  # fmt: skip
def test_days_that_cannot_be_read_for_sure_are_left_out(key, cell):
    assert holds_days("seen", ["none", cell])
    assert move_days("seen", [cell], ["a"], key, kept=False)[1] is None


@pytest.mark.parametrize("cell", ["12.5", "1-2", "T2", "3/4", "grade 3", "1.2.3", "L4-L5", "2019"])
def test_what_is_no_day_is_none(cell):
    assert not holds_days("date", [cell])


def test_numbers_of_a_spreadsheet_are_days_under_the_name_of_a_date(key):
    assert holds_days("datum", ["43500"])
    assert not holds_days("volume", ["43500"])
    assert not holds_days("candidates", ["43500"])
    told, out = move_days("datum", ["43500", "43501.5", "190514"], ["a", "a", "a"], key, kept=False)
    days = key.shift_days("a")
    assert out == [str(43500 + days), f"{43501 + days}.5", ""]
    assert told == "date, 1 cell blanked"


def test_days_that_are_kept_stay_and_words_among_them_go(key):
    cells = ["03/04/2019", "Nachtigall", "2019-05-14"]
    assert move_days("seen", cells, ["a"] * 3, key, kept=True)[1] == [cells[0], "", cells[2]]
