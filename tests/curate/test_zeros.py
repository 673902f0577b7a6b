"""Numbers that lost their zeros."""

from medclf.curate.zeros import match, pad


def test_each_cell_is_judged_by_itself():
    assert match(["7", "012", "05"], ["007", "012", "005"]) == ({"7": "007", "012": "012"}, ())
    assert match(["0", "A"], ["000", "A"]) == ({"0": "000", "A": "A"}, ())


def test_what_may_be_two_numbers_is_neither_once_zeros_were_lost():
    assert match(["12", "7"], ["12", "012", "007"]) == ({"7": "007"}, ("12",))
    assert match(["12", "012"], ["12", "012"]) == ({"12": "12", "012": "012"}, ())
    assert match(["7"], ["07", "007"]) == ({}, ("7",))


def test_a_number_is_padded_as_its_header_only():
    assert [pad("7", header) for header in ("007", "070", "", "7")] == ["007", "7", "7", "7"]
