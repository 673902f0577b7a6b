"""How scans are prepared before they are searched, and found again."""

from dataclasses import replace

import pandas as pd
import pytest

from medclf.curate.cohort import AS_FOUND
from medclf.curate.phantom.spine.cohort import make_spines
from medclf.errors import ReadError
from medclf.systems import locate
from medclf.systems.doubt import Known
from medclf.systems.search import Folder, plan_scans
from medclf.systems.volume import read_volume


@pytest.fixture(scope="module")
def spine(tmp_path_factory):
    return make_spines(tmp_path_factory.mktemp("s") / "spine", 1, 4, (6.0, 6.0, 6.0), form="dicom")


def test_a_ct_of_air_and_bone_is_seen_in_one_window(spine):
    _, (scan,), _ = locate._read_scans(spine, AS_FOUND, ())
    prepare, _, known = plan_scans([replace(scan, split="train")], 1.0, 0, False, 3.0)
    assert known == Known(("CT",), (6.0, 6.0, 6.0), (6.0, 6.0, 6.0))
    assert prepare.window == (-1000.0, 1000.0)
    image = read_volume(scan.source, prepare, False)
    assert image.channels == 1
    assert image.values.min() == 0  # air is not taken for something that is shown
    assert image.values.max() > 200


def test_headers_tell_whose_a_scan_is_where_no_column_does(spine):
    pd.read_csv(spine).drop(columns="patient").to_csv(spine.parent / "bare.csv", index=False)
    _, (scan,), notes = locate._read_scans(spine.parent / "bare.csv", AS_FOUND, ())
    assert scan.patient == "P0001"
    assert any("come from their DICOM headers" in note for note in notes)


def test_a_folder_is_searched_for_the_series_that_training_was_told(spine):
    place = spine.parent / "volumes" / "P0001"
    told = Folder(spine.parent, {"data": {"columns": {"series": "MR"}}})
    with pytest.raises(ReadError, match="a folder with the DICOM files of a volume"):
        told.find_image(place, None)
    assert len(told.find_image(place, "CT").parts) > 5
