"""Every file of pydicom's wheel is read to the values that pydicom decodes, or refused."""

import importlib.util
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from medclf.errors import ReadError
from medclf.read.dicom.file import read_dicom

ROOT = Path(__file__).parents[3]
SPEC = importlib.util.spec_from_file_location("dicom_files", ROOT / "bench" / "dicom_files.py")
bench = importlib.util.module_from_spec(SPEC)
sys.modules["dicom_files"] = bench  # Its dataclass looks its own module up.
SPEC.loader.exec_module(bench)

FILES = bench.list_files()
HEADERS = [path for path in FILES if "TINY_ALPHA" in path.parts]
PAGE = (ROOT / "docs" / "dicom-files.md").read_text(encoding="utf-8")


def pydicom_decodes(path):
    """Decode by pydicom, or `None` where it does not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bench.true_values(dcmread(path, force=True))
        except Exception:
            return None


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path not in HEADERS] + HEADERS[:2],
    ids=lambda path: path.name,
)
def test_values_of_pydicom_or_a_reason(path):
    truth = pydicom_decodes(path)
    if truth is None:
        with pytest.raises(ReadError, match=r"^here\.dcm: ") as problem:
            read_dicom(path.read_bytes(), "here.dcm")
        assert len(str(problem.value)) <= 300
        assert "\n" not in str(problem.value)
        return
    values = read_dicom(path.read_bytes(), "here.dcm").still().values
    assert values.shape == truth.shape
    np.testing.assert_allclose(values, truth, rtol=1e-6, atol=1e-6)


def test_the_page_knows_every_file_and_explains_every_difference():
    for path in FILES:
        assert f"`{bench._name(path)}`" in PAGE or path in HEADERS
    assert "NOT EXPLAINED" not in PAGE
    rows = [line for line in PAGE.splitlines() if line.count("|") == 7]
    assert len(rows) > 100
    assert not [row for row in rows if "differs by" in row or "REFUSES" in row or "PLACE" in row]
