"""Facts as words."""

import pytest

from medclf.core.record import name_value


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (7.0, "7"),
        (0.5, "0.5"),
        (750100125.0, "750100125"),  # The number of a hospital: none of its digits is lost.
        (" a b ", "a b"),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_values_as_words(value, word):
    assert name_value(value) == word
