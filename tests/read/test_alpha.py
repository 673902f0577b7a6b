import numpy as np
import pytest

from medclf.errors import ReadError
from medclf.read.alpha import without_alpha


@pytest.mark.parametrize(("dtype", "most"), [("u1", None), ("u2", None), ("u2", 4095), ("u1", 1)])
def test_alpha_goes_where_it_hides_nothing(dtype, most):
    values = np.arange(24, dtype=dtype).reshape(4, 2, 3)
    values[-1] = np.iinfo(dtype).max if most is None else most
    np.testing.assert_array_equal(without_alpha(values, "x", most), values[:-1])
    values[-1, 1, 2] -= 1
    with pytest.raises(ReadError, match="x: partly transparent"):
        without_alpha(values, "x", most)


def test_fractions_have_no_value_that_hides_nothing():
    with pytest.raises(ReadError, match="whole numbers wanted, found float32"):
        without_alpha(np.ones((2, 3, 3), np.float32), "x")
