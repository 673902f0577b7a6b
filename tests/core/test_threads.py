import threading
import time

import pytest

from medclf.core.threads import AHEAD, count_cores, in_order


def test_results_come_in_order():
    def work(part):
        time.sleep(0.002 * (part % 3))
        return part * part

    assert list(in_order(work, range(40))) == [n * n for n in range(40)]


def test_only_few_parts_are_under_way():
    drawn = []

    def parts():
        for number in range(100):
            drawn.append(number)
            yield number

    results = in_order(lambda part: part, parts())
    for number in range(5):
        assert next(results) == number
        assert len(drawn) <= number + AHEAD * count_cores()
    results.close()


def test_an_error_comes_out_and_ends_the_rest():
    begun = []

    def work(part):
        begun.append(part)
        if part == 3:
            raise KeyError("three")
        return part

    with pytest.raises(KeyError, match="three"):
        list(in_order(work, range(1000)))
    assert len(begun) < 100
    assert not [t for t in threading.enumerate() if t.name.startswith("ThreadPool")]


def test_nothing_to_do():
    assert list(in_order(abs, [])) == []
