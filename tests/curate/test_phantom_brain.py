from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_laplace, maximum_filter

from medclf.core.record import Source
from medclf.curate.cohort import read_cohort
from medclf.curate.phantom.bleeds.plant import Planting
from medclf.curate.phantom.bleeds.tissue import find_brain
from medclf.curate.phantom.brain.cohort import USUAL, make_brains
from medclf.curate.phantom.brain.deep import NUCLEI, nucleus_depth
from medclf.curate.phantom.brain.head import coarse, draw_head, frame_head, refine
from medclf.curate.phantom.brain.outline import outline
from medclf.curate.phantom.brain.scan import WET, Painter
from medclf.curate.phantom.brain.signal import (
    BRIGHT,
    FLUID,
    NUCLEAR,
    SCANNERS,
    WHITE,
    magnitude,
)
from medclf.curate.phantom.brain.veins import cortical_veins
from medclf.errors import CohortError, SettingError
from medclf.read.image import read_image

SPACING_MM = (4.0, 3.0, 3.0)
FINE_MM = (2.0, 2.0, 2.0)
NONE = Planting(0, 0, 0)


def rng_of(seed):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def painted():
    rng = rng_of(3)
    head, frame = draw_head(rng), frame_head(SPACING_MM)
    painter = Painter(head, frame, SCANNERS[0], rng)
    return head, frame, painter, painter.paint()


@pytest.fixture(scope="module")
def made(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("made") / "brains"
    make_brains(folder, 2, seed=1, spacing_mm=FINE_MM)
    return folder, table(folder / "truth.csv")


def place(row):
    return np.array([float(row[f"{axis}_mm"]) for axis in "zyx"])


def test_places_come_back_from_the_frame_of_reference(painted):
    head, frame, *_ = painted
    at = head.at(frame)
    points = np.array([(10, 5, 30), (30, 60, 20), (0, 0, 0)])
    known = np.stack([axis[tuple(points.T)] for axis in at], axis=1)
    places = np.array([[axis[i] for axis, i in zip(frame.places, p, strict=True)] for p in points])
    assert head.place(known) == pytest.approx(places, abs=0.1)


def test_what_is_linear_is_interpolated_exactly():
    frame = frame_head((5.0, 4.0, 3.0))
    wide = coarse(frame, 7.0)
    planes = [sum(np.ix_(*one.places)).astype(np.float32) for one in (wide, frame)]
    assert refine(planes[0], wide, frame) == pytest.approx(planes[1], abs=1e-3)


def test_a_brain_is_as_large_as_people_s(painted):
    litres = []
    for seed in range(6):
        head, frame = draw_head(rng_of(seed)), frame_head((6.0, 6.0, 6.0))
        out = outline(head.at(frame), head.shrunk, 5, 7)
        litres.append((out.cavity > 0).mean() * np.prod(frame.shape) * 216e-6)
        assert (out.skin >= out.cavity).all()
    assert 1.2 < np.mean(litres) < 1.8
    assert np.ptp(litres) > 0.05
    labels = painted[3].labels
    assert 0.05 < (labels == WET).sum() / (labels > 0).sum() < 0.5


def test_iron_darkens_nuclei_with_age_and_fluid_is_darker_than_tissue(painted):
    scanner = SCANNERS[0]
    assert scanner.signal(WHITE) == BRIGHT
    assert 0.5 < scanner.signal(FLUID) / BRIGHT < 0.9
    by_age = [[one.iron_at(age) for age in (10, 40, 80)] for one in NUCLEI]
    assert (np.diff(by_age) > 0).all()
    pallidum, thalamus = (
        next(one for one in NUCLEI if one.name == name) for name in ("pallidum", "thalamus")
    )
    assert scanner.signal(NUCLEAR, pallidum.iron_at(70)) < 0.6 * scanner.signal(NUCLEAR)
    head, frame, _, scene = painted
    seen = [
        np.median(scene.signal[nucleus_depth(head.at(frame), one) > 2])
        for one in (pallidum, thalamus)
    ]
    assert seen[0] < 0.75 * seen[1]


def test_noise_is_rician():
    scanner = replace(SCANNERS[0], noise=0.1)
    noise = magnitude(np.zeros((20, 40, 40), np.float32), scanner, rng_of(0))
    assert noise.mean() == pytest.approx(0.1 * BRIGHT * np.sqrt(np.pi / 2), rel=0.01)
    bright = magnitude(np.full((20, 40, 40), 10 * BRIGHT, np.float32), scanner, rng_of(0))
    assert bright.std() == pytest.approx(0.1 * BRIGHT, rel=0.02)


def test_cortical_veins_begin_in_sulci_and_end_at_the_hull(painted):
    _, _, painter, _ = painted
    depth = painter.out.cerebrum
    tree = cortical_veins(painter.wide, painter.folds, depth, np.array([1.0, 0, 0]), rng_of(0))
    samples = (tree.paths - painter.wide.start_mm) / painter.wide.spacing_mm
    start, end = (
        np.array([depth[tuple(at)] for at in np.rint(samples[:, n]).astype(int)]) for n in (0, -1)
    )
    assert (start > 0).all()
    assert np.median(end) < np.median(start) - 3
    assert (np.diff(tree.radii, axis=1) > 0).all()


def test_signal_is_lost_where_the_truth_says(tmp_path, table):
    """The same brain with and without lesions differs at their places, and nowhere else."""
    known = replace(USUAL, contrast=(0.9, 0.9))
    with_, without = (
        make_brains(tmp_path / name, 1, 2, FINE_MM, bleeds, planting).parent
        for name, bleeds, planting in (("a", (6, 6), known), ("b", (0, 0), NONE))
    )
    first, second = (
        read_image(Source(folder / "volumes/P0001.nii.gz")) for folder in (with_, without)
    )
    before, after = (one.values[0].astype(float) for one in (second, first))
    rows = table(with_ / "truth.csv")
    assert not table(without / "truth.csv")
    assert [row["kind"] for row in rows].count("bleed") == 6
    away = np.ones(before.shape, bool)
    for row in rows:
        at, size = first.grid.from_mm(place(row)), float(row["diameter_mm"])
        near = tuple(np.rint(at).astype(int))
        if row["kind"] == "bleed" and size > 5:
            assert after[near] < 0.4 * before[near]
        off = (np.indices(before.shape).T - at) * first.grid.spacing_mm
        away &= (np.linalg.norm(off, axis=-1) > (20 if row["kind"] == "vein" else size + 6)).T
    assert (before[away] == after[away]).all()


def test_the_tables_are_those_of_planted_bleeds(made):
    folder, truth = made
    cohort = read_cohort(folder / "cohort.csv")
    assert set(cohort.task.classes) == {"look-alike", "microbleed"}
    assert {row["kind"] for row in truth} == {"bleed", "vein", "calcification"}
    assert len(truth) == len(cohort.records)
    for row, record in zip(truth, cohort.records, strict=True):
        assert np.linalg.norm(np.array(record.images["image"].point.at) - place(row)) < 4
        assert set(record.facts) >= {"age", "sex", "site"}
        assert row["kind"] != "bleed" or 2 <= float(row["diameter_mm"]) <= 10
    for patient in ("P0001", "P0002"):
        own = [row for row in truth if row["patient"] == patient]
        assert 3 <= sum(row["kind"] == "bleed" for row in own) <= 8
        assert read_image(Source(folder / own[0]["path"])).space == frame_head(FINE_MM).shape


def test_a_detector_of_blobs_finds_bleeds_and_much_else(made):
    folder, truth = made
    rows = [row for row in truth if row["patient"] == "P0001" and row["kind"] == "bleed"]
    image = read_image(Source(folder / rows[0]["path"]))
    values, spacing = image.values[0].astype(np.float32), np.array(image.grid.spacing_mm)
    stands = gaussian_laplace(values, 1.6 / spacing) * find_brain(values, spacing)
    peaks = np.argwhere((stands == maximum_filter(stands, 3)) & (stands > 0))
    scores, marks = stands[tuple(peaks.T)], image.grid.to_mm(peaks)
    off = np.linalg.norm(marks[:, None] - [place(row) for row in rows], axis=2)
    radii = np.array([float(row["diameter_mm"]) / 2 for row in rows])
    best = np.where(off < np.maximum(radii, 2), scores[:, None], 0).max(axis=0)
    found = best[best > 0]
    assert len(found) >= 0.6 * len(rows)
    others = scores[(off > radii + 2).all(axis=1)]
    assert (others > found.min()).sum() > 5


def test_patients_differ_and_the_same_seed_makes_the_same_bytes(made, tmp_path, table):
    folder, truth = made
    again = make_brains(tmp_path / "again", 1, seed=1, spacing_mm=FINE_MM).parent
    files = [(one / "volumes/P0001.nii.gz").read_bytes() for one in (folder, again)]
    assert files[0] == files[1]
    assert table(again / "truth.csv") == [row for row in truth if row["patient"] == "P0001"]
    heads = [draw_head(rng_of(seed)) for seed in (0, 1)]
    frame = frame_head((6.0, 6.0, 6.0))
    inside = [outline(head.at(frame), head.shrunk, 5, 7).cerebrum > 0 for head in heads]
    assert (inside[0] != inside[1]).mean() > 0.02
    assert heads[0].iron != heads[1].iron


def test_dicom_holds_the_same_scan_in_the_same_place(tmp_path):
    images = []
    for form in ("nifti", "dicom"):
        cohort = make_brains(tmp_path / form, 1, 4, (6, 5, 5), form=form)
        images.append(read_image(read_cohort(cohort).records[0].images["image"]))
    other, image = images
    assert image.modality == "MR"
    assert (image.values == other.values).all()
    assert image.grid.to_mm(np.ones(3)) == pytest.approx(other.grid.to_mm(np.ones(3)), abs=1e-3)


def test_what_cannot_be_made_is_refused(made, tmp_path):
    with pytest.raises(CohortError, match="empty folder wanted"):
        make_brains(made[0])
    for wrong in (
        {"patients": 0},
        {"spacing_mm": (0.1, 1, 1)},
        {"bleeds": (5, 2)},
        {"seed": -1},
        {"form": "png"},
    ):
        with pytest.raises(SettingError, match="phantom brains"):
            make_brains(tmp_path / "x", **wrong)
