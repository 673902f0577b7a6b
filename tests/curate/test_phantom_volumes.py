import nibabel as nib
import numpy as np
import pytest

from medclf.curate.phantom.volumes import SCANNERS, Cube, draw_cube, make_volumes
from medclf.errors import CohortError, SettingError


@pytest.fixture(scope="module")
def made(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("made") / "volumes"
    return folder, table(make_volumes(folder, patients=12, seed=1, size=32))


def test_cubes_are_nifti_with_their_spacing(made):
    folder, rows = made
    for row in rows:
        image = nib.load(folder / row["path"])
        assert image.shape == (32, 32, 32)
        assert image.get_data_dtype() == np.int16
        assert image.header.get_zooms() == (2.0, 2.0, 2.0)
        assert nib.aff2axcodes(image.affine) == ("L", "P", "S")
        assert image.header.get_xyzt_units()[0] == "mm"


def test_cubes_hold_the_hounsfield_units_of_lung_and_blood(made):
    folder, rows = made
    for row in rows:
        values = np.asarray(nib.load(folder / row["path"]).dataobj)
        assert -950 < np.median(values) < -760
        assert values[13:19, 13:19, 13:19].max() > -450


def test_both_classes_and_several_cubes_of_a_patient_are_there(made):
    _, rows = made
    assert {row["label"] for row in rows} == {"nodule", "vessel"}
    assert len({row["patient"] for row in rows}) == 12 < len(rows)


def test_a_nodule_is_compact_and_a_crossing_runs_on():
    """Mass farther than its radius from the middle tells them apart; a slice may not."""
    cube, rng = Cube(40, 2.0), np.random.default_rng(0)
    z, y, x = cube.axes
    reach = np.sqrt(z**2 + y**2 + x**2)
    mass = {}
    for nodule in (True, False):
        drawn = [draw_cube(nodule, 8, cube, SCANNERS[1], rng) for _ in range(12)]
        mass[nodule] = [np.mean(v[(reach > 9) & (reach < 15)] > -500) for v in drawn]
    assert np.median(mass[False]) > 3 * np.median(mass[True])


def test_a_nodule_has_its_diameter():
    cube = Cube(48, 1.0)
    quiet = SCANNERS[1].__class__("test", blur_mm=0.3, noise_hu=0.1)
    sizes = []
    for seed in range(8):
        values = draw_cube(True, 14.0, cube, quiet, np.random.default_rng(seed))
        z, y, x = cube.axes
        near = np.sqrt(z**2 + y**2 + x**2) < 14
        sizes.append(np.cbrt(6 / np.pi * np.sum(near & (values > -400))))
    assert np.median(sizes) == pytest.approx(14, abs=1.5)


def test_same_seed_makes_the_same_bytes(made, tmp_path):
    folder, rows = made
    make_volumes(tmp_path / "again", patients=12, seed=1, size=32)
    for name in ("cohort.csv", *(row["path"] for row in rows)):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_full_folder_is_refused(made):
    folder, _ = made
    with pytest.raises(CohortError, match="empty folder wanted"):
        make_volumes(folder)


@pytest.mark.parametrize("wrong", [{"size": 4}, {"spacing_mm": 9.0}, {"patients": 0}])
def test_settings_out_of_range_are_refused(tmp_path, wrong):
    with pytest.raises(SettingError, match="wanted"):
        make_volumes(tmp_path / "x", **wrong)
