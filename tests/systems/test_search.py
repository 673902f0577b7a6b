"""How scans are prepared before they are searched, and found again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Point, Record, Source
from medclf.curate.cohort import AS_FOUND
from medclf.curate.phantom.spine.cohort import make_spines
from medclf.errors import ReadError
from medclf.learn.preparation import BONE, LUNG, SOFT
from medclf.locate.scans import Scan, Target, gather_scans
from medclf.prepare.exam import Prepare
from medclf.read.write import write_image
from medclf.systems import locate
from medclf.systems.deal import sign_scans
from medclf.systems.doubt import Usual, read_doubted
from medclf.systems.search import WINDOW_HU, Folder, one_window, plan_scans
from medclf.systems.volume import read_volume


@pytest.fixture(scope="module")
def spine(tmp_path_factory):
    return make_spines(tmp_path_factory.mktemp("s") / "spine", 1, 4, (6.0, 6.0, 6.0), form="dicom")


def test_a_ct_of_air_and_bone_is_seen_in_one_window(spine):
    _, (scan,), _ = locate._read_scans(spine, AS_FOUND, ())
    prepare, _, known = plan_scans([replace(scan, split="train")], 1.0, 0, False, 3.0)
    assert known == Usual(("CT",), (6.0, 6.0, 6.0), (6.0, 6.0, 6.0))
    assert prepare.window == (-1000.0, 1000.0)
    image = read_volume(scan.source, prepare, False)
    assert image.channels == 1
    assert image.values.min() == 0  # air is not taken for something that is shown
    assert image.values.max() > 200


def write_scan(path, split, edge, spacing_mm, diameter_mm):
    rng = np.random.default_rng(edge)
    values = rng.normal(60, 8, (edge,) * 3).astype(np.float32)[None]
    grid = Grid((spacing_mm,) * 3, (0.0,) * 3, np.eye(3))
    path.write_bytes(write_image(Image(values, grid), ".nii")[0])
    target = Target("a", Point((1.0, 1.0, 1.0), "mm"), diameter_mm)
    return Scan(path.name, Source(path), path.name, split, (target,))


def test_what_is_planned_and_what_is_usual_comes_from_training_alone(tmp_path):
    learnt = write_scan(tmp_path / "a.nii", "train", 16, 2.0, 12.0)
    other = write_scan(tmp_path / "b.nii", "test", 20, 5.0, 3.0)
    plans = [plan_scans(some, 1.0, 0, True, 1.0) for some in ([learnt], [learnt, other])]
    assert plans[0] == plans[1]
    assert plans[0][2] == Usual((), (2.0,) * 3, (2.0,) * 3)
    assert plan_scans([learnt, other], 1.0, 0, False, 1.0)[0].spacing_mm == (2.0,) * 3


def test_all_scans_of_training_are_looked_at_where_they_get_one_size(tmp_path, monkeypatch):
    monkeypatch.setattr("medclf.systems.search.LOOKED_AT", 1)
    scans = [write_scan(tmp_path / f"{n}.nii", "train", n, 2.0, None) for n in (10, 12, 30, 11)]
    prepare = plan_scans(scans, 1.0, 0, True, 1.0)[0]
    assert (np.multiply(prepare.size, prepare.spacing_mm) >= 60.0).all()


def test_of_a_scan_longer_than_those_of_training_it_is_said_what_is_searched(tmp_path):
    learnt = write_scan(tmp_path / "a.nii", "train", 16, 2.0, None)
    prepare, _, known = plan_scans([learnt], 1.0, 0, True, 1.0)
    assert read_doubted(learnt.source, prepare, True, known)[1] == ()
    longer = write_scan(tmp_path / "b.nii", "", 40, 2.0, None).source
    told = "80 x 80 x 80 mm, of which no more than the middle 32 x 32 x 32 are searched"
    assert read_doubted(longer, prepare, True, known)[1] == (told,)
    assert read_doubted(longer, prepare, False, known)[1] == ()


def test_headers_tell_whose_a_scan_is_where_no_column_does(spine):
    pd.read_csv(spine).drop(columns="patient").to_csv(spine.parent / "bare.csv", index=False)
    _, (scan,), read = locate._read_scans(spine.parent / "bare.csv", AS_FOUND, ())
    assert scan.patient == "P0001"
    assert any("come from their DICOM headers" in note for note in read.notes)


def test_a_folder_is_searched_for_the_series_that_training_was_told(spine):
    place = spine.parent / "volumes" / "P0001"
    told = Folder(spine.parent, {"data": {"columns": {"series": "MR"}}})
    with pytest.raises(ReadError, match="a folder with the DICOM files of a volume"):
        told.find_image(place, None)
    assert len(told.find_image(place, "CT").parts) > 5


def test_a_pet_keeps_the_window_of_its_uptake():
    found = one_window(Prepare((8, 8, 8), 1, unit="SUV", intensity="window", window=(0.0, 10.0)))
    assert (found.unit, found.window) == ("SUV", (0.0, 10.0))
    several = Prepare((8, 8, 8), 3, intensity="window", window=(*LUNG, *SOFT, *BONE))
    assert (one_window(several).channels, one_window(several).window) == (1, WINDOW_HU)


def test_a_scan_is_known_again_by_whatever_path_and_order_of_marks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    points = [Point((1.0, 2.0, float(n)), "mm") for n in range(3)]

    def scans(path, points):
        marks = [{"image": Source(path, point=point)} for point in points]
        return gather_scans([Record(str(m), m, "P") for m in marks], tmp_path, "", ())

    one, other = scans(tmp_path / "a.nii", points), scans(Path("a.nii"), points[::-1])
    assert one[0].name == "a.nii"
    assert sign_scans(one) == sign_scans(other)
