"""What the tests share: the folder of real data, and a cache that is thrown away."""

import locale
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests that need it are skipped where there is none."""
    folder = os.environ.get("MEDCLF_DATA")
    if not folder:
        pytest.skip("real data wanted: set MEDCLF_DATA to the folder that holds them")
    return Path(folder)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def same_locale():
    """Undo what SimpleITK does as it writes DICOM: it sets the locale of the process to C."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)
