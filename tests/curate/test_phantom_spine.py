from itertools import pairwise

import numpy as np
import pytest

from medclf.core.record import Source
from medclf.curate.cohort import read_unlabelled
from medclf.curate.phantom.ct import Frame
from medclf.curate.phantom.spine.cohort import make_spines
from medclf.curate.phantom.spine.field import draw_frame
from medclf.curate.phantom.spine.levels import LUMBAR, NUMBERS, UNUSUAL, spread
from medclf.curate.phantom.spine.patient import Chances, draw_spine
from medclf.curate.phantom.spine.posture import Posture, measure_cobb, stack, stations, turns
from medclf.curate.phantom.spine.scan import SCANNERS, scan
from medclf.curate.phantom.spine.vertebra import Local, Rod, body_distance, rod_distance
from medclf.errors import CohortError, SettingError
from medclf.read.image import read_image

SPACING_MM = (4.0, 4.0, 4.0)
PLAIN = Chances(unusual=0, scoliosis=0, broken=0, implants=0, cut=0, narrow=1)


def drawn(seed, chances=PLAIN):
    rng = np.random.default_rng(seed)
    spine = draw_spine(chances, rng)
    return spine, draw_frame(spine, SPACING_MM, chances, rng), rng


@pytest.fixture(scope="module")
def made(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("made") / "spines"
    make_spines(folder, 3, seed=1, spacing_mm=SPACING_MM, labels=True)
    return folder, table(folder / "cohort.csv"), table(folder / "truth.csv")


def test_a_rod_has_its_distances():
    rod = Rod((0, 0, 0), (0, 0, 10), (2, 4), tall=2)
    places = np.array([(0, 7, 5), (0, 2, 0), (4, 0, 0), (0, 0, 15)], float).T
    found = rod_distance(rod, Local(*places))
    assert found == pytest.approx([4, 0, 0, 1])


def test_a_body_has_its_size():
    (bone,) = (bone for bone in drawn(0)[0].bones if bone.name == "L3")
    axis = np.arange(-26, 27.0)
    inside = body_distance(bone, Local(*np.meshgrid(axis, axis, axis, indexing="ij"))) < 0
    reach = [np.ptp(axis[inside.any(axis=other)]) for other in ((1, 2), (0, 2), (0, 1))]
    size = bone.size
    assert reach == pytest.approx([size.height, size.depth, size.width], abs=2.5)
    ellipse = np.pi / 4 * size.height * size.depth * size.width
    assert 0.75 * ellipse < inside.sum() < ellipse


@pytest.mark.parametrize("degrees", [-30, 12])
def test_a_scoliosis_has_the_angle_of_cobb(degrees):
    at = stations(3, 5, 12, 2)
    axes = turns(at, Posture(cobb_degrees=degrees))
    assert measure_cobb(axes[3:-2]) == pytest.approx(abs(degrees), rel=0.05)
    places = stack(axes, np.full(len(at), 20.0), np.full(len(at), 5.0))
    apex = places[np.abs(at - 1.2).argmin(), 2]
    assert np.sign(apex - places[[3, -3], 2].mean()) == np.sign(degrees)


def test_spines_are_as_long_and_as_bent_as_people_s():
    lengths = []
    for seed in range(20):
        bones = drawn(seed)[0].named
        lengths.append(np.linalg.norm(bones[0].centre - bones[-1].centre))
        lean = {bone.name: np.degrees(np.arcsin(-bone.axes[1, 0])) for bone in bones}
        assert 15 < lean["T1"] - lean["T12"] < 75
        assert 10 < lean["L5"] - lean["L1"] < 70
    assert 370 < np.mean(lengths) < 450


def test_unusual_spines_have_one_vertebra_more_or_fewer():
    found = set()
    for seed in range(40):
        spine = drawn(seed, Chances(unusual=1))[0]
        names = [bone.name for bone in spine.named]
        counts = tuple(sum(name[0] == part for name in names) for part in "TL")
        assert counts in UNUSUAL
        assert names == [f"{p}{n + 1}" for p, k in zip("TL", counts, strict=True) for n in range(k)]
        ribbed = [b.name for b, length in zip(spine.bones, spine.ribs, strict=True) if length]
        assert ribbed == names[: counts[0]]
        found.add(counts)
    assert found == set(UNUSUAL)
    assert spread(LUMBAR, 5) == list(LUMBAR)


def test_scans_show_five_vertebrae_or_more_and_end_between_middles():
    shown = []
    for seed in range(60):
        spine, frame, _ = drawn(seed, Chances(cut=1))
        inside = [frame.holds(bone.centre) for bone in spine.named]
        shown.append(sum(inside))
        first, last = np.flatnonzero(inside)[[0, -1]]
        assert all(inside[first : last + 1])
        for bone in spine.named:
            gaps = np.abs(bone.centre[0] - frame.places[0][[0, -1]])
            assert gaps.min() > 0.2 * bone.size.height - SPACING_MM[0]
    assert min(shown) == 5
    assert len(set(shown)) > 5
    spine, frame, _ = drawn(0)
    assert all(frame.holds(bone.centre) for bone in spine.named)


def test_a_scan_shows_spongy_bone_at_the_middles_and_discs_between():
    spine, _, rng = drawn(0)
    shown = spine.named[-4:]
    start = shown[-1].centre - (12, 20, 20)
    frame = Frame(tuple(start), (int(shown[0].centre[0] - start[0]) // 2, 40, 20), (2.0, 2.0, 2.0))
    made = scan(spine, frame, SCANNERS[1], rng)

    def around(place):
        z, y, x = np.rint(made.image.grid.from_mm(place)).astype(int)
        return made.image.values[0, z, y - 2 : y + 3, x - 2 : x + 3].mean()

    numbers = {bone.name: n for n, bone in enumerate(spine.bones)}
    for upper, lower in pairwise(shown):
        gap = upper.place(-upper.size.height / 2, 0, 0) + lower.place(lower.size.height / 2, 0, 0)
        assert 60 < around(lower.centre) < 320
        assert 60 < around(gap / 2) < 160
        assert around(lower.place(lower.size.height / 2, 0, 0)) > around(gap / 2) + 60
        assert spine.worn[numbers[upper.name]] == 0


def test_labels_lie_about_the_middles():
    spine, frame, rng = drawn(3)
    made = scan(spine, frame, SCANNERS[1], rng)
    for bone in spine.named:
        at = np.rint(made.image.grid.from_mm(bone.centre)).astype(int)
        assert made.labels[tuple(at)] == NUMBERS[bone.name]
    assert set(np.unique(made.labels)) == {0, *(NUMBERS[bone.name] for bone in spine.named)}
    assert 180 < made.image.values[0][made.labels > 0].mean() < 500


def test_screws_are_clipped_and_cast_streaks():
    spine, _, rng = drawn(0, Chances(unusual=0, broken=0, implants=1, cut=0))
    assert 2 <= len(spine.screwed) <= 5
    high, low = (next(b for b in spine.bones if b.name == spine.screwed[n]) for n in (0, -1))
    start = low.centre - (60, 90, 80)
    frame = Frame(
        tuple(start), (int(120 + high.centre[0] - low.centre[0]) // 4, 60, 60), SPACING_MM
    )
    values = scan(spine, frame, SCANNERS[0], rng).image.values[0]
    assert values.max() == 3071
    grain = values[:, :, :5].astype(float).std(axis=(1, 2))
    assert grain.max() > 1.2 * np.median(grain)


def test_the_table_tells_where_the_vertebrae_are(made):
    folder, rows, truth = made
    assert [(row["path"], row["name"]) for row in rows] == [(t["path"], t["name"]) for t in truth]
    assert {row["state"] for row in truth} <= {"whole", "broken", "screwed", "cemented"}
    records = read_unlabelled(folder / "cohort.csv").records
    assert [record.facts["name"] for record in records] == [row["name"] for row in rows]
    for path in sorted({row["path"] for row in rows}):
        image = read_image(Source(folder / path))
        labels = read_image(Source(folder / path.replace("volumes", "labels"))).values[0]
        mine = [r for r in records if str(r.source.path).endswith(path)]
        places = np.array([record.source.point.at for record in mine])
        assert (np.diff(places[:, 0]) < 0).all()
        at = np.rint(image.grid.from_mm(places)).astype(int)
        numbers = [NUMBERS[record.facts["name"]] for record in mine]
        assert labels[tuple(at.T)].tolist() == numbers


def test_dicom_holds_the_same_scan_in_the_same_place(tmp_path, table):
    told, images = [], []
    for form in ("nifti", "dicom"):
        cohort = make_spines(tmp_path / form, 1, seed=1, spacing_mm=(6, 5, 4), form=form)
        told.append([row | {"path": ""} for row in table(cohort)])
        images.append(read_image(read_unlabelled(cohort).records[0].source))
    assert told[0] == told[1]
    other, image = images
    assert image.unit == "HU"
    assert (image.values == other.values).all()
    assert image.grid.to_mm(np.ones(3)) == pytest.approx(other.grid.to_mm(np.ones(3)), abs=1e-3)


def test_patients_differ_and_the_same_seed_makes_the_same_bytes(made, tmp_path):
    folder, *_ = made
    make_spines(tmp_path / "one", 1, seed=1, spacing_mm=SPACING_MM, labels=True)
    for kind in ("volumes", "labels"):
        (again,) = (tmp_path / "one" / kind).iterdir()
        files = [file.read_bytes() for file in sorted((folder / kind).iterdir())]
        assert again.read_bytes() == files[0]
        assert len(set(files)) == 3


def test_what_cannot_be_made_is_refused(made, tmp_path):
    with pytest.raises(CohortError, match="empty folder wanted"):
        make_spines(made[0])
    for wrong in (
        {"patients": 0},
        {"spacing_mm": (0.1, 1, 1)},
        {"chances": Chances(cut=2)},
        {"seed": -1},
        {"form": "png"},
    ):
        with pytest.raises(SettingError, match="phantom spines"):
            make_spines(tmp_path / "x", **wrong)
