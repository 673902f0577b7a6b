"""How scans are prepared before they are searched."""

from dataclasses import replace

from medclf.curate.cohort import AS_FOUND
from medclf.curate.phantom.spine.cohort import make_spines
from medclf.systems import locate
from medclf.systems.search import plan_scans
from medclf.systems.volume import read_volume


def test_a_ct_of_air_and_bone_is_seen_in_one_window(tmp_path):
    table = make_spines(tmp_path / "spines", 1, 4, (6.0, 6.0, 6.0), form="dicom")
    _, (scan,) = locate._read_scans(table, AS_FOUND, ())
    prepare, _ = plan_scans([replace(scan, split="train")], 1.0, 0, False, 3.0)
    assert prepare.window == (-1000.0, 1000.0)
    image = read_volume(scan.source, prepare, False)
    assert image.channels == 1
    assert image.values.min() == 0  # air is not taken for something that is shown
    assert image.values.max() > 200
