from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.curate.cohort import read_cohort
from medclf.curate.phantom.bleeds.cohort import Brain, make_bleeds
from medclf.curate.phantom.bleeds.lesion import DRAW, draw_bleed, fill_voxels
from medclf.curate.phantom.bleeds.plant import Planting, plant_bleeds
from medclf.curate.phantom.bleeds.tissue import find_brain, find_fluid
from medclf.errors import SettingError
from medclf.read.image import read_image
from medclf.read.write import write_image

PSF_MM = 0.25
BLEEDS = Planting(bleeds=6, veins=0, calcifications=0, contrast=(0.5, 0.8), psf_mm=PSF_MM)
TURNED = np.array([[0, 0, -1.0], [0, 1, 0], [1, 0, 0]])


def make_head(dtype=np.float32, spacing=(2.0, 1.5, 1.5)):
    """A ball of tissue with a hole of fluid, in a thin shell of skin, in air."""
    rng = np.random.default_rng(0)
    shape = np.array([44, 60, 60])
    where = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    reach = np.sqrt(
        sum(((w - n / 2) * mm) ** 2 for w, n, mm in zip(where, shape, spacing, strict=True))
    )
    values = np.zeros(shape)
    values[reach < 36] = 1000
    values[reach < 7] = 200
    values[(reach > 39) & (reach < 42)] = 900
    values = gaussian_filter(values, 0.5) + rng.normal(0, 15, shape) + 60
    grid = Grid(spacing, (10.0, -20.0, 30.0), TURNED)
    labels = Image((reach < 36).astype(np.uint8)[None] + (reach < 7), grid)
    return Image(values.astype(dtype)[None], grid, "MR"), labels


@pytest.fixture(scope="module")
def head():
    return make_head()


def reach_mm(image, at_mm):
    at = image.grid.from_mm(np.array(at_mm))
    off = [
        (np.arange(n) - a) * mm
        for n, a, mm in zip(image.space, at, image.grid.spacing_mm, strict=True)
    ]
    return np.sqrt(sum(o**2 for o in np.meshgrid(*off, indexing="ij", sparse=True)))


def check_planted(before, after, truth):
    """What no bleed reaches is the same to the bit; the inside of each is as dark as was asked."""
    assert after.grid == before.grid
    assert after.values.dtype == before.values.dtype
    changed, errors = (after.values != before.values)[0], []
    far = np.ones(before.space, bool)
    corner = np.linalg.norm(before.grid.spacing_mm) / 2
    for one in truth:
        away = reach_mm(before, one.at_mm)
        far &= away > 0.7 * one.diameter_mm + 3 * 3**0.5 * PSF_MM + 2 * corner
        assert changed[np.unravel_index(away.argmin(), away.shape)]
        inside = away < 0.42 * one.diameter_mm - 2 * PSF_MM - corner
        asked = (1 - one.contrast) * one.tissue
        errors += ((after.values[0][inside] - asked) / one.tissue).tolist()
    assert len(errors) > 3
    assert np.mean(errors) == pytest.approx(0, abs=0.03)
    assert not changed[far].any()
    assert changed.any()


def test_only_bleeds_change_a_volume_and_by_what_was_asked(head):
    many = replace(BLEEDS, bleeds=12)
    after, truth = plant_bleeds(head[0], many, np.random.default_rng(1), head[1])
    assert len(truth) > 6
    check_planted(head[0], after, truth)


def test_bleeds_in_a_real_brain(real_data):
    path = real_data / "ixi10/nifti/IXI012-HH-1211-T1_ds.nii.gz"
    before = read_image(Source(path))
    labels = real_data / "ixi10/dlmuse/IXI012-HH-1211-T1_ds_DLMUSE.nii.gz"
    many = replace(BLEEDS, bleeds=24)
    after, truth = plant_bleeds(before, many, np.random.default_rng(0), read_image(Source(labels)))
    assert len(truth) > 20
    check_planted(before, after, truth)


def test_truth_lies_where_the_volume_is_dark(head):
    before, labels = head
    after, truth = plant_bleeds(before, BLEEDS, np.random.default_rng(2), labels)
    lost = before.values[0] - after.values[0]
    for one in truth:
        near = reach_mm(before, one.at_mm) < 8
        where = np.argwhere(near)
        middle = (where * lost[near][:, None]).sum(0) / lost[near].sum()
        apart = (middle - before.grid.from_mm(np.array(one.at_mm))) * before.grid.spacing_mm
        assert np.linalg.norm(apart) < 1


def test_a_ball_fills_its_volume_wherever_it_lies_between_the_voxels():
    spacing, rng = np.array([2.0, 1.0, 1.0]), np.random.default_rng(0)
    for psf_mm in (0.0, 0.8):
        shape = draw_bleed(rng)
        at = np.array([10, 15, 15]) + rng.uniform(-0.5, 0.5, 3)
        _, share = fill_voxels(shape, at, spacing, psf_mm, (20, 30, 30))
        ball = np.pi / 6 * shape.diameter_mm**3
        assert share.sum() * spacing.prod() == pytest.approx(ball, rel=0.06)
        assert 0 <= share.min() < share.max() <= 1


def test_shapes_are_those_of_their_kinds():
    rng = np.random.default_rng(0)
    drawn = {kind: [draw(rng) for _ in range(40)] for kind, draw in DRAW.items()}
    assert all(2 <= one.diameter_mm <= 10 for one in drawn["bleed"])
    large = [Planting(sizes_mm=(6.0, 7.0)).draw("bleed", rng) for _ in range(40)]
    assert all(6 <= one.diameter_mm <= 7 for one in large)
    assert all(20 < np.ptp(one.centres, axis=0).sum() * 2 < 120 for one in drawn["vein"])
    assert all(2 <= len(one.radii) <= 5 for one in drawn["calcification"])
    gaps = [np.linalg.norm(np.diff(one.centres, axis=0), axis=1) for one in drawn["vein"]]
    assert all((gap < one.radii[0]).all() for gap, one in zip(gaps, drawn["vein"], strict=True))


def test_half_lie_beside_fluid_as_asked(head):
    before, labels = head
    fluid = labels.values[0] == 2
    to_fluid = distance_transform_edt(~fluid, sampling=before.grid.spacing_mm)
    for share in (0.0, 1.0):
        asked = replace(BLEEDS, beside=share)
        _, truth = plant_bleeds(before, asked, np.random.default_rng(3), labels, fluid=(2,))
        for one in truth:
            at = np.rint(before.grid.from_mm(np.array(one.at_mm))).astype(int)
            gap = to_fluid[tuple(at)] - one.diameter_mm / 2
            assert one.beside == bool(share)
            assert gap < 2 if share else gap >= 2


def test_the_same_seed_plants_the_same_and_whole_numbers_stay_whole():
    before, labels = make_head(np.int16)
    mixed = Planting(bleeds=2, veins=3, calcifications=2)
    first, second = (
        plant_bleeds(before, mixed, np.random.default_rng(4), labels) for _ in range(2)
    )
    assert first[1] == second[1]
    assert {one.kind for one in first[1]} == set(mixed.kinds)
    assert np.array_equal(first[0].values, second[0].values)
    assert first[0].values.dtype == np.int16


def test_the_brain_is_found_without_labels(head):
    before, labels = head
    values = before.values[0].astype(np.float64)
    found, true = find_brain(values, np.array(before.grid.spacing_mm)), labels.values[0] > 0
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.95
    wet = find_fluid(values, found)
    assert wet[labels.values[0] == 2].mean() > 0.8
    with pytest.raises(SettingError, match="a brain wanted"):
        find_brain(np.zeros((8, 8, 8)), np.ones(3))


def test_a_cohort_of_brains_is_read_with_its_points(head, tmp_path, table):
    for name, one in zip(("t1", "map"), head, strict=True):
        (tmp_path / f"{name}.nii").write_bytes(write_image(one, ".nii")[0])
    brains = [
        Brain(tmp_path / "t1.nii", "A", tmp_path / "map.nii"),
        Brain(tmp_path / "t1.nii", "B"),
    ]
    mixed = Planting(bleeds=2, veins=1, calcifications=1)
    folders = [make_bleeds(tmp_path / name, brains, mixed).parent for name in ("one", "two")]
    files = ("cohort.csv", "truth.csv", "volumes/A.nii.gz", "volumes/B.nii.gz")
    assert all((folders[0] / n).read_bytes() == (folders[1] / n).read_bytes() for n in files)
    cohort = read_cohort(folders[0] / "cohort.csv")
    assert set(cohort.task.classes) == {"look-alike", "microbleed"}
    truth = table(folders[0] / "truth.csv")
    assert len(truth) == len(cohort.records) >= 5
    for row, record in zip(truth, cohort.records, strict=True):
        point = record.images["image"].point
        assert point.unit == "mm"
        exact = [float(row[f"{axis}_mm"]) for axis in "zyx"]
        assert np.linalg.norm(np.array(point.at) - exact) < 4
    with pytest.raises(SettingError, match="each come once"):
        make_bleeds(tmp_path / "three", [brains[0], brains[0]], mixed)


def test_what_does_not_serve_is_refused(head):
    before, labels = head
    rng = np.random.default_rng(0)
    with pytest.raises(SettingError, match="a volume with its spacing wanted"):
        plant_bleeds(Image(before.values[:, 0]), BLEEDS, rng)
    with pytest.raises(SettingError, match=r"labels of .* samples wanted"):
        plant_bleeds(before, BLEEDS, rng, Image(labels.values[:, 1:]))
    with pytest.raises(SettingError, match="no label above 0"):
        plant_bleeds(before, BLEEDS, rng, Image(0 * labels.values))
    with pytest.raises(SettingError, match="contrasts and a share"):
        plant_bleeds(before, replace(BLEEDS, contrast=(0.9, 0.2)), rng)
