import numpy as np
import pytest

from medclf.read.values import are_finite


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bad", [[np.nan], [np.inf], [-np.inf], [np.inf, -np.inf]])
def test_one_bad_value_among_many_is_seen(dtype, bad):
    values = np.random.default_rng(0).normal(size=(3, 70, 80)).astype(dtype)
    assert are_finite(values)
    values[1, 5 : 5 + len(bad), 6] = bad
    assert not are_finite(values)


def test_a_sum_that_overflows_is_no_bad_value():
    assert are_finite(np.full((2, 50), 3e38, np.float32))
    assert are_finite(np.full((2, 50), 255, np.uint8))
