"""Scans are prepared once, and their targets told in mm."""

import numpy as np
import pytest

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Point, Source
from medclf.errors import CohortError
from medclf.locate.scans import Scan, Target
from medclf.prepare.settings import Prepare
from medclf.read.image import read_image
from medclf.read.write import write_image
from medclf.systems import prepared
from medclf.systems.prepared import prepare_scans
from medclf.watch import SILENT

GRID = Grid((2.0,) * 3, (10.0, 20.0, 30.0), np.eye(3))


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """Prepare a scan of 30 samples to 20 about its middle; tell how often it is read for marks."""
    values = np.random.default_rng(0).normal(60, 8, (1, 30, 30, 30)).astype(np.float32)
    (tmp_path / "a.nii").write_bytes(write_image(Image(values, GRID), ".nii")[0])
    read = []

    def count(source):
        read.append(source)
        return read_image(source)

    monkeypatch.setattr(prepared, "read_image", count)

    def run(*points):
        targets = tuple(Target("a", point) for point in points)
        scans = [Scan("a.nii", Source(tmp_path / "a.nii"), "p", "val", targets)]
        size = Prepare((20,) * 3, 1, (2.0,) * 3, crop="none", intensity="percentile")
        return *prepare_scans(scans, size, True, tmp_path / "prepared", SILENT), len(read)

    return run


def test_a_file_is_read_once_for_all_its_marks_in_samples(prepare):
    points = [Point((10.0, 12.0, float(n)), "samples") for n in range(8, 20)]
    (scan,), volumes, beyond, read = prepare(*points)
    assert read == 1
    assert beyond == 0
    assert scan.targets[0].point == Point((30.0, 44.0, 46.0), "mm")
    assert volumes["a.nii"].exists()
    again, *_ = prepare(*points)
    assert again == [scan]


def test_a_mark_beyond_what_is_searched_is_counted_and_one_out_of_the_scan_refused(prepare):
    assert prepare(Point((30.0, 40.0, 50.0), "mm"))[2:] == (0, 0)
    found, _, beyond, _ = prepare(Point((11.0, 40.0, 50.0), "mm"), Point((30.0, 40.0, 89.0), "mm"))
    assert beyond == 2
    assert len(found[0].targets) == 2
    with pytest.raises(CohortError, match=r"a.nii: a mark in the scan wanted, found 5, 40, 50 mm"):
        prepare(Point((5.0, 40.0, 50.0), "mm"))
