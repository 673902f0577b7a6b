from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np

from medclf.read.scratch import KEPT, scratch


def test_a_thread_gets_the_same_memory_again():
    large = scratch((300, 200), np.uint16)
    small = scratch((7, 5, 3), np.uint8)
    assert (large.shape, large.dtype, small.shape) == ((300, 200), np.uint16, (7, 5, 3))
    assert np.shares_memory(large, small)
    assert not np.shares_memory(small, scratch((KEPT + 1,), np.uint8))


def test_two_threads_do_not_share():
    both = Barrier(2)

    def fill(value):
        mine = scratch((1000, 1000), np.uint8)
        both.wait(timeout=10)
        mine[:] = value
        both.wait(timeout=10)
        return bool((mine == value).all())

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(fill, (1, 2))) == [True, True]
