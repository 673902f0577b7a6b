import warnings
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest

from medclf.read.quiet import Quiet


def warn(module):
    warnings.warn_explicit("careful", UserWarning, f"{module}.py", 1, module=module)


def test_holds_back_one_library_only():
    with Quiet("pydicom"):
        warn("pydicom")
        warn("pydicom.filereader")
        with pytest.raises(UserWarning):
            warn("pydicomlike")
    with pytest.raises(UserWarning):
        warn("pydicom")


def test_filters_are_as_before_after_many_threads():
    quiet, before = Quiet("pydicom"), list(warnings.filters)

    def work(number):
        with quiet:
            sleep(0.001 * (number % 5))
            warn("pydicom")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    assert list(warnings.filters) == before


def test_filters_are_put_back_after_an_error():
    quiet, before = Quiet("x"), list(warnings.filters)
    with pytest.raises(KeyError), quiet:
        raise KeyError
    assert list(warnings.filters) == before
