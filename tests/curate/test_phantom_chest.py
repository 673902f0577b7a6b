import numpy as np
import pytest

from medclf.core.record import Source
from medclf.curate.cohort import read_cohort
from medclf.curate.phantom.chest.anatomy import build_anatomy
from medclf.curate.phantom.chest.cohort import make_chests, place_candidates
from medclf.curate.phantom.chest.lesion import NODULES, draw_into, draw_nodule, draw_scar
from medclf.curate.phantom.chest.lookalike import APART_MM, SHARES, find_lookalikes
from medclf.curate.phantom.chest.scan import SCANNERS, frame_lungs, scan
from medclf.curate.phantom.chest.tree import fill_cloud, grow_tree
from medclf.curate.phantom.ct import Scanner
from medclf.curate.phantom.person import draw_person
from medclf.curate.phantom.tubes import Sprouts
from medclf.errors import CohortError, SettingError
from medclf.read.image import read_image

SPACING_MM = 5.0


@pytest.fixture(scope="module")
def anatomy():
    rng = np.random.default_rng(0)
    return build_anatomy(draw_person(60, "F", rng), rng)


@pytest.fixture(scope="module")
def made(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("made") / "chests"
    make_chests(folder, patients=2, seed=1, spacing_mm=SPACING_MM, nodules=6, lookalikes=8)
    return folder, table(folder / "truth.csv")


def ball(points):
    return np.linalg.norm(points, axis=1) < 60


def test_trees_stay_inside_thin_out_and_carry_their_volume():
    roots = Sprouts(np.zeros((1, 3)), np.array([[1.0, 0, 0]]))
    tree = grow_tree(roots, ball, np.random.default_rng(0), 4.0, 24.0, 7)
    assert len(tree.paths) > 30
    assert ball(tree.paths[:, -1]).all()
    assert (np.diff(tree.radii, axis=1) < 0).all()
    assert 0 < tree.last.mean() < 1
    ends = tree.paths[:, -1]
    starts = tree.paths[1:, 0]
    gaps = np.linalg.norm(starts[:, None] - ends, axis=-1)
    assert gaps.min(axis=1).max() < 1e-9
    assert not tree.last[gaps.argmin(axis=1)].any()
    lengths = np.linalg.norm(np.diff(tree.paths, axis=1), axis=2)
    middle = (tree.radii[:, 1:] + tree.radii[:, :-1]) / 2
    volume = np.pi * np.sum(middle**2 * lengths)
    for step in (2.0, 0.5):
        assert fill_cloud(tree, step).volume.sum() == pytest.approx(volume, rel=0.01)


@pytest.mark.parametrize("kind", NODULES)
def test_a_nodule_has_its_size_and_density(kind):
    rng = np.random.default_rng(3)
    axis = np.arange(-11, 11.5, 0.75)
    shape = (len(axis),) * 3
    for _ in range(4):
        lesion = draw_nodule(kind, rng.uniform(-1, 1, 3), rng)
        hu = np.full(shape, -860.0)
        draw_into(hu, (axis, axis, axis), lesion, np.zeros(shape))
        assert 4 <= lesion.diameter_mm <= 12
        filled = ((hu + 860) / (lesion.hu + 860)).clip(0, 1).sum() * 0.75**3
        assert 2 * np.cbrt(filled * 3 / (4 * np.pi)) == pytest.approx(lesion.diameter_mm, rel=0.08)
        centre = hu[tuple(int(np.abs(axis - at).argmin()) for at in lesion.centre)]
        assert centre == pytest.approx(30 if lesion.core else lesion.hu, abs=2)


def test_scars_are_long_or_flat_and_thin():
    rng = np.random.default_rng(0)
    for _ in range(20):
        axes = np.linalg.norm(draw_scar(np.zeros(3), rng).axes, axis=0)
        assert 2.4 < axes.max() / axes.min() < 5.1


def test_lookalikes_lie_where_they_should(anatomy):
    found = find_lookalikes(anatomy)
    assert found.keys() == SHARES.keys()
    for places, wide in found.values():
        assert len(places) > 3
        assert anatomy.clear(places).all()
        assert (wide > 1).all()


def test_candidates_are_apart_and_of_every_kind(anatomy):
    lesions, places = place_candidates(anatomy, 12, 30, np.random.default_rng(0))
    at = np.array([one.at_mm for one in places])
    gaps = np.linalg.norm(at[:, None] - at, axis=-1) + 1e3 * np.eye(len(at))
    assert gaps.min() > APART_MM
    assert anatomy.airy(at).all()
    assert {one.kind for one in places} > {*SHARES, "scar", "solid", "at the wall"}
    assert [one.kind for one in lesions] == [one.kind for one in places[: len(lesions)]]
    steps = 0.75 * np.concatenate([np.eye(3), -np.eye(3)])
    for one in lesions:
        around = one.centre + one.diameter_mm * steps
        assert one.kind != "at the wall" or not anatomy.airy(around).all()


def test_a_scan_shows_lung_blood_and_bone_in_their_units(anatomy):
    frame = frame_lungs(anatomy, SPACING_MM)
    values = scan(anatomy, [], frame, SCANNERS[1], np.random.default_rng(0)).values[0]
    coarse = [axis[::4] for axis in frame.places]
    where = np.stack(np.meshgrid(*coarse, indexing="ij"), axis=-1).reshape(-1, 3)
    lung = values[::4, ::4, ::4].reshape(-1)[anatomy.clear(where)]
    assert -900 < np.median(lung) < -800
    assert 20 < np.median(values[values > -300]) < 60
    assert (values > 300).mean() > 0.0004


def test_noise_is_as_strong_as_the_scanner_says_and_correlated(anatomy):
    frame = frame_lungs(anatomy, SPACING_MM)
    quiet, loud = (
        scan(anatomy, [], frame, Scanner("x", 4, 5, noise), np.random.default_rng(0)).values[0]
        for noise in (0.0, 40.0)
    )
    noise = (loud.astype(float) - quiet)[:, 8:-8, 8:-8][quiet[:, 8:-8, 8:-8] > -900]
    assert noise.std() == pytest.approx(40, rel=0.3)
    row = loud[len(loud) // 2].astype(float) - quiet[len(quiet) // 2]
    assert np.corrcoef(row[:, 1:].ravel(), row[:, :-1].ravel())[0, 1] > 0.2


def test_the_table_is_read_with_its_points_and_the_truth_beside_it(made):
    folder, truth = made
    cohort = read_cohort(folder / "cohort.csv")
    assert cohort.task.classes == ("look-alike", "nodule")
    assert len(cohort.records) == len(truth) > 20
    assert {record.patient for record in cohort.records} == {"P0001", "P0002"}
    images = {row["path"]: read_image(Source(folder / row["path"])) for row in truth}
    for row, record in zip(truth, cohort.records, strict=True):
        assert (row["kind"] in NODULES) == bool(record.label)
        exact = np.array([float(row[f"{axis}_mm"]) for axis in "zyx"])
        assert np.linalg.norm(record.images["image"].point.at - exact) < 4
        image = images[row["path"]]
        at = image.grid.from_mm(exact)
        assert (at > 0).all()
        assert (at < image.space).all()


def test_dicom_holds_the_same_scan_in_the_same_place(made, tmp_path, table):
    folder, truth = made
    make_chests(tmp_path / "dicom", 1, 1, SPACING_MM, nodules=6, lookalikes=8, form="dicom")
    own = [row | {"path": ""} for row in truth if row["patient"] == "P0001"]
    assert [row | {"path": ""} for row in table(tmp_path / "dicom" / "truth.csv")] == own
    other = read_image(Source(folder / "volumes" / "P0001.nii.gz"))
    image = read_image(read_cohort(tmp_path / "dicom" / "cohort.csv").records[0].source)
    assert (image.unit, image.modality) == ("HU", "CT")
    assert (image.values == other.values).all()
    assert image.grid.to_mm(np.ones(3)) == pytest.approx(other.grid.to_mm(np.ones(3)), abs=1e-3)


def test_patients_differ_and_the_same_seed_makes_the_same_bytes(made, tmp_path):
    folder, _ = made
    make_chests(tmp_path / "one", 1, 1, SPACING_MM, nodules=6, lookalikes=8)
    first, second = sorted((folder / "volumes").iterdir())
    (again,) = (tmp_path / "one" / "volumes").iterdir()
    assert again.read_bytes() == first.read_bytes()
    assert read_image(Source(first)).space != read_image(Source(second)).space


def test_what_cannot_be_made_is_refused(made, tmp_path):
    with pytest.raises(CohortError, match="empty folder wanted"):
        make_chests(made[0])
    wrong_ones = ({"patients": 0}, {"spacing_mm": 0.1}, {"nodules": 99}, {"seed": -1}, {"form": ""})
    for wrong in wrong_ones:
        with pytest.raises(SettingError, match="phantom chests"):
            make_chests(tmp_path / "x", **wrong)
