import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from medclf.cli.main import app
from medclf.core.finding import Finding
from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.plain import to_plain
from medclf.core.record import Point, Source
from medclf.curate.cohort import Columns
from medclf.curate.phantom.spine.cohort import make_spines
from medclf.curate.phantom.spine.levels import NUMBERS
from medclf.errors import CohortError, ReadError, SettingError
from medclf.locate.row import Marks
from medclf.locate.scans import Scan, Target
from medclf.read.image import read_image
from medclf.read.write import write_image
from medclf.systems import lessons, locate
from medclf.systems.cubes import Cubes
from medclf.systems.label_and_fill import expect_fillable, fill_scan, learn_sizes
from medclf.systems.search import Folder
from medclf.systems.vertebra_chain import _label, learn_landmarks, name_places

KINDS = ("a", "b", "c", "d", "e")


def write_scan(path, seed):
    """Write a part of a row of balls that grow downward, and give their middles in mm."""
    rng = np.random.default_rng(seed)
    grid = Grid((3.0,) * 3, tuple(rng.uniform(-50, 50, 3)), np.eye(3))
    values = rng.normal(0, 40, (46, 22, 22))
    places = np.stack(np.indices(values.shape), -1)
    first = seed % 3
    found = {}
    for number in range(first, first + 3):
        at = np.array([40 - 8 * number, 11, 11]) + rng.uniform(-1, 1, 3)
        values[np.linalg.norm(places - at, axis=-1) < 1.5 + 0.5 * number] += 600
        found[KINDS[number]] = grid.to_mm(at)
    path.write_bytes(write_image(Image(values.astype(np.float32)[None], grid), ".nii")[0])
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    splits = ["train"] * 6 + ["val"] * 3 + ["test"] * 2
    rows = [
        (f"{number}.nii", f"p{number}", kind, *at, split)
        for number, split in enumerate(splits)
        for kind, at in write_scan(folder / f"{number}.nii", number).items()
    ]
    columns = ["path", "patient", "kind", "z_mm", "y_mm", "x_mm", "split"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "marks.csv", index=False)
    options = {"edge": 16, "most": 6, "epochs": 10}
    with pytest.MonkeyPatch.context() as few:
        few.setattr(lessons, "DRAWN", (60, 60))
        return locate.train(
            *(folder / "marks.csv", folder / "run", 5.0, 0, "vertebra_chain"),
            options=options,
            columns=Columns(label="kind"),
        )


def test_a_system_tells_each_landmark_once_and_where(run):
    assert run.scores["distances"]["scans"] == 2
    assert run.scores["distances"]["error_mm"]["value"] < 15.0  # all in the middle: 20 and more
    assert run.scores["judged"] is None
    assert run.folder.search.edge_mm == 3.0
    data = run.folder.path.parent
    found = run.predict([data / "7.nii"])
    assert sorted(one.kind for one in found) == list(KINDS)
    assert all(0 <= one.score <= 1 for one in found)
    image = read_image(Source(data / "7.nii"))
    inside = image.grid.from_mm(np.array([one.at_mm for one in found]))
    assert ((inside > -1) & (inside < image.space)).all()
    sure = {KINDS.index(one.kind): one.at_mm[0] for one in found if one.sure}
    down = np.diff([sure[number] for number in sorted(sure)]) / np.diff(sorted(sure))
    assert len(sure) > 1
    assert down == pytest.approx(-24.0, abs=8.0)


def test_a_row_and_looks_name_candidates_together():
    """Looks of the second speak for another, but its neighbours and the way to them do not."""
    rng = np.random.default_rng(0)
    steps = np.cumsum([0.0, 20, 22, 24, 26])
    marks = [
        Marks(np.arange(5), np.stack([-steps, 0 * steps, 0 * steps], 1) + rng.normal(0, 1, (5, 3)))
        for _ in range(6)
    ]
    known, row = learn_landmarks(marks, 3.0)
    assert known.tolist() == [0, 1, 2, 3, 4]
    shares = np.full((4, 15), 0.02)
    for candidate, kind in enumerate((1, 3, 3)):
        shares[candidate, kind] = 0.9
    shares[0, 10 + 2] = shares[2, 5 + 2] = 0.9
    places = np.array([[-20.0, 0, 0], [-42, 0, 0], [-66, 0, 0], [-50, 30, 20]])
    named = name_places(row, places, shares)
    assert named.found.tolist() == [False, True, True, True, False]
    assert np.allclose(named.places_mm[1:4], places[:3])
    assert named.scores[1:4].min() > 0.3 > named.scores[[0, 4]].max()
    assert abs(named.places_mm[0, 0]) < 5
    none = name_places(row, np.zeros((0, 3)), np.zeros((0, 15)))
    assert not none.found.any()
    assert not none.scores.any()


def test_a_row_is_learnt_beside_scans_without_marks_but_not_of_one_landmark():
    places = np.array([[0.0, 0, 0], [-20, 0, 0]])
    marks = [Marks(np.arange(2), places), Marks(np.arange(2), places + 5)]
    empty = Marks(np.zeros(0, np.int64), np.zeros((0, 3)))
    known, row = learn_landmarks([marks[0], empty, marks[1]], 3.0)
    assert known.tolist() == [0, 1]
    assert row.step_mm == pytest.approx(20.0)
    with pytest.raises(CohortError, match="2 landmarks or more wanted, to learn a row, found 1"):
        learn_landmarks([Marks(np.zeros(1, np.int64), places[:1]), empty], 3.0)


def test_an_exam_tells_what_lies_before_and_after():
    point = Point((0.0, 0.0, 0.0), "mm")
    targets = tuple(Target(kind, point) for kind in "dbc")
    scan = Scan("s", Source("s.nii"), "p", "train", targets)
    label = np.array(_label(list(KINDS), Cubes(scan, "s", "c", np.zeros((1, 3))))).reshape(3, 5)
    assert [KINDS[i] for i in label.argmax(1)] == ["c", "b", "d"]
    first = np.array(_label(list(KINDS), Cubes(scan, "s", "b", np.zeros((1, 3))))).reshape(3, 5)
    assert first.sum(1).tolist() == [1, 0, 1]


def test_vertebrae_are_filled_about_their_middles(tmp_path):
    table = pd.read_csv(make_spines(tmp_path / "spine", 1, 4, (3.0, 2.0, 2.0), labels=True))
    image = read_image(Source(tmp_path / "spine" / table.path[0]))
    truth = read_image(Source(tmp_path / "spine" / "labels/P0001.nii.gz")).values[0]
    at = table[["z_mm", "y_mm", "x_mm"]].itertuples(index=False, name=None)
    marks = list(zip(table.name, at, strict=True))
    targets = tuple(Target(kind, Point(place, "mm")) for kind, place in marks)
    kinds = tuple(table.name)
    sizes = learn_sizes([Scan("s", Source("s"), "p", "train", targets)], kinds)
    assert 12 < min(sizes.values()) <= max(sizes.values()) < 45
    found = fill_scan(image, [Finding("s", *one, 1.0, True) for one in marks], kinds, sizes)
    dice = []
    for number, kind in enumerate(kinds, start=1):
        mine, true = found == number, truth == NUMBERS[kind]
        dice.append(2 * (mine & true).sum() / (mine.sum() + true.sum()))
    assert np.mean(dice) > 0.65
    assert not fill_scan(image, [], kinds, sizes).any()


def test_maps_lie_on_the_voxels_of_files_and_say_what_numbers_mean(run, tmp_path):
    data = run.folder.path.parent
    asked = ["predict", str(run.folder.path), str(data / "6.nii"), "--fill", str(tmp_path / "maps")]
    assert CliRunner().invoke(app, asked).exit_code == 0
    image, file = (read_image(Source(p)) for p in (tmp_path / "maps" / "6.nii.gz", data / "6.nii"))
    assert image.space == file.space
    corners = np.array([[0.0, 0, 0], [45, 0, 0], [45, 21, 21]])
    assert np.allclose(image.grid.to_mm(corners), file.grid.to_mm(corners), atol=1e-3)
    sure = [one for one in run.predict([data / "6.nii"]) if one.sure]
    assert len(sure) > 1
    for one in sure:
        sample = file.grid.from_mm(np.array(one.at_mm)).round().astype(int)
        assert KINDS[image.values[0][tuple(sample)] - 1] == one.kind
    assert set(np.unique(image.values)) - {0} == {KINDS.index(one.kind) + 1 for one in sure}
    told = pd.read_csv(tmp_path / "maps" / "labels.csv")
    assert dict(zip(told.number, told.kind, strict=True)) == dict(enumerate(KINDS, start=1))


def test_what_is_no_ct_has_no_map_and_findings_and_other_maps_are_there(run, tmp_path):
    data, maps, out = run.folder.path.parent, tmp_path / "maps", tmp_path / "found.csv"
    image = replace(read_image(Source(data / "6.nii")), modality="MR")
    (tmp_path / "a.mha").write_bytes(write_image(image, ".mha")[0])
    files = [str(tmp_path / "a.mha"), str(data / "6.nii")]
    asked = ["predict", str(run.folder.path), *files, "--fill", str(maps), "--out", str(out)]
    told = CliRunner().invoke(app, asked)
    assert isinstance(told.exception, ReadError)
    assert re.fullmatch(
        "1 of 2 exams have no label map, the first: .*a still CT in HU wanted, to fill, found MR",
        str(told.exception),
    )
    assert set(pd.read_csv(out).file) == set(files)
    assert sorted(path.name for path in maps.iterdir()) == ["6.nii.gz", "labels.csv"]


def test_a_file_is_no_folder_for_maps_and_that_is_said_first(run, tmp_path):
    asked = ["predict", str(run.folder.path), "gone.nii", "--fill", str(tmp_path / "found.csv")]
    (tmp_path / "found.csv").write_text("mine")
    refused = CliRunner().invoke(app, asked)
    assert isinstance(refused.exception, SettingError)
    assert "found.csv: the name of a folder to write in wanted" in str(refused.exception)


def test_more_landmarks_than_a_map_has_numbers_are_refused(run):
    many = replace(run.folder.search, kinds=tuple(map(str, range(256))))
    folder = Folder(run.folder.path, {**run.folder.facts, "search": to_plain(many)})
    with pytest.raises(SettingError, match="255 landmarks at most wanted, found 256"):
        expect_fillable(folder, [])


def test_a_folder_is_called_by_its_name_however_it_is_reached(run, tmp_path, monkeypatch):
    (tmp_path / "scan.1" / "inner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "scan.1" / "inner")
    assert expect_fillable(run.folder, [Path(), Path("..")])[1] == ["inner", "scan.1"]
    with pytest.raises(SettingError, match="different names wanted, found inner, inner"):
        expect_fillable(run.folder, [Path(), Path("../inner")])


def test_files_of_one_name_are_refused_before_anything_is_searched(run, tmp_path):
    with pytest.raises(SettingError, match="different names"):
        expect_fillable(run.folder, [tmp_path / "a" / "1.nii", tmp_path / "b" / "1.nii.gz"])
