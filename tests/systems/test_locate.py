import csv
import json
import re
import shutil
from dataclasses import asdict, replace
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from medclf.cli.main import app
from medclf.core.finding import Findings
from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.curate.cohort import AS_FOUND, Columns
from medclf.errors import CohortError, MedclfError, ReadError, RunError, SettingError
from medclf.read.write import write_image
from medclf.systems import lessons, locate
from medclf.systems.doubt import UNSURE
from medclf.systems.finish import write_findings
from medclf.systems.search import open_folder
from medclf.verbs import load
from medclf.watch import Watch

SPACING = 2.0
EDGE = 36
KIND = Columns(label="kind")


def write_scan(path, seed):
    """Write noise with one or two balls of 8 mm in it, and give their middles in mm."""
    rng = np.random.default_rng(seed)
    grid = Grid((SPACING,) * 3, tuple(rng.uniform(-50, 50, 3)), np.eye(3))
    values = rng.normal(60, 8, (EDGE,) * 3)
    places = np.stack(np.indices(values.shape), -1)
    samples = []
    for middle in ((10, 10, 10), (25, 24, 12))[: 1 + seed % 2]:
        at = np.array(middle) + rng.uniform(-3, 3, 3)
        values[np.linalg.norm(places - at, axis=-1) < 2.2] += 90
        samples.append(at)
    image = Image(values.astype(np.float32)[None], grid)
    path.write_bytes(write_image(image, ".nii")[0])
    return grid.to_mm(np.array(samples))


def write_table(folder, count):
    rows = []
    for number in range(count):
        places = write_scan(folder / f"{number}.nii", number)
        rows += [(f"{number}.nii", f"p{number}", "ball", *at, 8.0) for at in places]
    split = dict.fromkeys(range(count), "train") | {count - 2: "val", count - 1: "test"}
    frame = pd.DataFrame(
        rows, columns=["path", "patient", "kind", "z_mm", "y_mm", "x_mm", "diameter_mm"]
    )
    frame["split"] = [split[int(path.split(".")[0])] for path in frame.path]
    frame.to_csv(folder / "marks.csv", index=False)
    return folder / "marks.csv"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("scans"), 6)


@pytest.fixture(scope="module")
def trained(table):
    """What the command that trains a search prints."""
    options = {"judge": "patch", "edge": 16, "most": 12, "epochs": 2}
    said = [word for pair in options.items() for word in ("--option", "{}={}".format(*pair))]
    said += ["--task", "locate", "--find", "ball", "--minutes", "5", "--label", "kind"]
    with pytest.MonkeyPatch.context() as few:
        few.setattr(lessons, "DRAWN", (250, 250))
        place = str(table.parent / "run")
        return CliRunner().invoke(app, ["train", str(table), "--out", place, *said])


@pytest.fixture(scope="module")
def finder(trained, table):
    assert trained.exit_code == 0, trained.exception
    return locate.load(table.parent / "run")


def test_the_command_trains_what_was_asked_for_and_prints_how_well_it_finds(finder, trained, table):
    search = finder.folder.search
    assert (search.system, search.kinds, search.column) == ("screen_then_judge", ("ball",), "kind")
    assert (search.minutes, search.seed) == (5.0, 0)
    asked = {"judge": "patch", "edge": 16, "most": 12, "epochs": 2}
    assert {name: search.options[name] for name in asked} == asked
    assert "2 targets in 1 scan" in trained.stdout
    figure = f"{finder.scores['judged']['cpm']['value']:.3f}"
    assert re.search(rf"mean \(CPM\) +│ +{figure} ", trained.stdout)
    assert trained.stdout.endswith(
        f"run     {table.parent / 'run'}\nreport  {table.parent / 'run' / 'report.html'}\n"
    )
    assert "'patient'" in trained.stderr


def test_what_is_found_is_printed_in_json(finder, tmp_path):
    write_scan(tmp_path / "new.nii", 101)
    said = ["predict", str(finder.folder.path), str(tmp_path / "new.nii"), "--json"]
    printed = json.loads(CliRunner().invoke(app, said).stdout)
    found = [asdict(one) for one in finder.predict([tmp_path / "new.nii"])]
    assert printed == json.loads(json.dumps(found))
    assert found[0]["sure"]


def test_balls_in_a_scan_that_was_never_seen_are_found(finder, tmp_path):
    places = write_scan(tmp_path / "new.nii", 101)
    found = finder.predict([tmp_path / "new.nii"])
    surest = np.array([one.at_mm for one in found[: len(places)]])
    apart = np.linalg.norm(surest[:, None] - places[None], axis=-1)
    assert apart.min(0).max() < 6.0
    assert {one.kind for one in found} == {"ball"}


def write_ball(path, edge, spacing, radius=2.2):
    """Write noise with a ball of 8 mm in its middle, or another radius, and give that in mm."""
    grid = Grid((spacing,) * 3, (10.0, 20.0, 30.0), np.eye(3))
    values = np.random.default_rng(7).normal(60, 8, (edge,) * 3)
    middle = np.full(3, (edge - 1) / 2)
    far = np.linalg.norm(np.stack(np.indices(values.shape), -1) - middle, axis=-1)
    values[far * spacing < radius * SPACING] += 90
    path.write_bytes(write_image(Image(values.astype(np.float32)[None], grid), ".nii")[0])
    return grid.to_mm(middle)


def test_another_spacing_is_resampled_and_told(finder, tmp_path):
    middle = write_ball(tmp_path / "fine.nii", 60, 1.2)
    found = finder.predict([tmp_path / "fine.nii"])
    assert np.linalg.norm(np.array(found[0].at_mm) - middle) < 6.0
    told = "samples of 1.2 x 1.2 x 1.2 mm, where training saw 2 x 2 x 2 to 2 x 2 x 2"
    assert found[0].warnings == (f"{told}; resampled to 2 mm",)


def test_a_scan_smaller_than_a_cube_is_searched(finder, tmp_path):
    middle = write_ball(tmp_path / "small.nii", 15, SPACING)
    found = finder.predict([tmp_path / "small.nii"])
    assert all(np.abs(np.array(one.at_mm) - middle).max() <= 7 * SPACING for one in found)
    write_ball(tmp_path / "tiny.nii", 3, SPACING)
    assert not any(one.sure for one in finder.predict([tmp_path / "tiny.nii"]))


def test_of_a_scan_that_shows_something_else_it_is_said_that_nothing_is_sure(finder, tmp_path):
    write_ball(tmp_path / "else.nii", EDGE, SPACING, 0.0)
    said = ["predict", str(finder.folder.path), str(tmp_path / "else.nii")]
    told = CliRunner().invoke(app, said)
    assert f"else.nii: {UNSURE}" in told.stderr
    doubted = []
    finder.predict([tmp_path / "else.nii"], Watch(doubt=lambda *said: doubted.append(said)))
    assert doubted == [(str(tmp_path / "else.nii"), (UNSURE,))]
    rows = list(csv.DictReader(told.stdout.splitlines()))
    assert all(row["sure"] == "0" and row["warnings"] == UNSURE for row in rows)


def test_a_file_that_cannot_be_read_gets_a_row_and_the_others_are_answered(finder, tmp_path):
    write_scan(tmp_path / "good.nii", 101)
    (tmp_path / "bad.nii").write_bytes((tmp_path / "good.nii").read_bytes()[:999])
    files = [str(tmp_path / name) for name in ("bad.nii", "good.nii")]
    told = CliRunner().invoke(app, ["predict", str(finder.folder.path), *files])
    assert isinstance(told.exception, ReadError)
    assert str(told.exception).startswith(f"1 of 2 exams cannot be read, the first: {files[0]}: ")
    bad, *good = csv.DictReader(told.stdout.splitlines())
    assert (bad["file"], bad["kind"], bad["z_mm"], bad["sure"]) == (files[0], "", "", "")
    assert str(told.exception).endswith(bad["warnings"])
    assert {row["file"] for row in good} == {files[1]}
    with pytest.raises(ReadError, match=r"bad.nii: "):
        finder.predict(files)
    with pytest.raises(ReadError, match=r"bad.nii: "):
        finder.search(files[:1], skip_unreadable=True)


def test_a_scan_in_which_nothing_is_found_has_a_row():
    unread = Findings("b.nii", (), ("too short",), searched=False)
    rows = write_findings([Findings("a.nii", (), (UNSURE,)), unread]).splitlines()
    assert rows[1:] == [f"a.nii,,,,,,0,{UNSURE}", "b.nii,,,,,,,too short"]


def test_stages_are_the_paper_s_and_see_lesions_mirrored(finder):
    screen, judge = (load(finder.folder.path / name) for name in ("screen", "judge"))
    assert [one.run.recipe.net.name for one in (screen, judge)] == ["dou_screen", "dou_judge"]
    assert [one.run.recipe.augment.mirror for one in (screen, judge)] == [(0, 1, 2)] * 2
    assert [one.run.recipe.fit.smoothing for one in (screen, judge)] == [0.0] * 2
    assert [one.run.recipe.fit.enough for one in (screen, judge)] == [1_000_000] * 2


def test_figures_are_those_of_the_test_scans(finder):
    scores = finder.scores
    assert scores["split"] == "test"
    assert scores["judged"]["scans"] == 1
    assert scores["judged"]["lesions"] == 2
    assert [p["false_positives"] for p in scores["judged"]["points"]][-3:] == [2.74, 4.0, 8.0]
    assert scores["judged"]["cpm"]["value"] >= 0.5


def test_the_page_tells_the_command_with_what_was_said_of_the_table(finder, table):
    page = (finder.folder.path / "report.html").read_text(encoding="utf-8")
    assert f"medclf train {table} --label kind --task locate --method screen_then_judge" in page


def test_what_was_cut_short_goes_on_and_comes_to_the_same(finder, table):
    folder = finder.folder.path
    before = (folder / "findings.csv").read_bytes(), finder.scores
    open_folder(folder).update(state="begun")
    with pytest.raises(RunError, match="cut short; go on with medclf train --resume"):
        locate.load(folder)
    for name in ("findings.csv", "scores.json", "found-test.npz"):
        (folder / name).unlink()
    again = locate.resume(folder)
    assert ((folder / "findings.csv").read_bytes(), again.scores) == before
    assert again.folder.facts == finder.folder.facts
    with pytest.raises(RunError, match="come to its end"):
        locate.resume(folder)


def test_a_training_does_not_go_on_with_other_images_or_marks(finder, table):
    folder, done = finder.folder.path, finder.folder
    image, marks = (table.parent / "3.nii").read_bytes(), table.read_text()
    try:
        done.update(state="begun")
        (table.parent / "3.nii").write_bytes(image[:-4000] + bytes(4000))
        with pytest.raises(RunError, match="the images have changed"):
            locate.resume(folder)
        table.write_text(marks.replace("8.0", "9.0", 1))
        with pytest.raises(RunError, match=r"1 scan changed, the first is 0.nii"):
            locate.resume(folder)
    finally:
        done.update()
        (table.parent / "3.nii").write_bytes(image)
        table.write_text(marks)
        shutil.rmtree(folder / "prepared")


def test_a_picture_is_no_scan_to_be_searched(finder, tmp_path):
    (tmp_path / "a.npy").write_bytes(write_image(Image(np.ones((1, 9, 9), np.uint8)), ".npy")[0])
    with pytest.raises(ReadError, match="volume"):
        finder.predict([tmp_path / "a.npy"])


def test_a_training_killed_as_it_begins_knows_all_that_its_page_tells(table, tmp_path, monkeypatch):
    def kill(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(locate, "mark_begun", kill)
    with pytest.raises(KeyboardInterrupt):
        locate.train(table, tmp_path / "run", 0.1, columns=KIND)
    assert "2 mm" in open_folder(tmp_path / "run").facts["reasons"]["prepare.spacing_mm"]


def refuse(table, tmp_path, change, match, **more):
    frame = change(pd.read_csv(table))
    frame["path"] = [str(table.parent / path) for path in frame.path]
    frame.to_csv(tmp_path / "marks.csv", index=False)
    with pytest.raises(MedclfError, match=match) as caught:
        locate.train(tmp_path / "marks.csv", tmp_path / "run", 0.1, columns=KIND, **more)
    assert not (tmp_path / "run").exists()
    return caught.type


def test_marks_outside_of_their_scan_are_refused(table, tmp_path):
    kind = refuse(table, tmp_path, lambda f: f.assign(z_mm=9999.0), "a mark in the scan wanted")
    assert kind is CohortError


def test_a_table_without_places_is_refused(table, tmp_path):
    bare = ["z_mm", "y_mm", "x_mm"]
    refuse(
        table,
        tmp_path,
        lambda f: f.drop(columns=bare).drop_duplicates("path"),
        "marked points wanted",
    )


def test_kinds_and_options_that_are_not_there_are_named(table, tmp_path):
    refuse(table, tmp_path, lambda f: f, "marks of cyst wanted, found ball", kinds=["cyst"])
    kind = refuse(table, tmp_path, lambda f: f, "the nearest is judge", options={"juge": "patch"})
    assert kind is SettingError
    refuse(table, tmp_path, lambda f: f, "screen_then_judge", system="screen")


def test_a_mark_without_a_kind_and_kinds_of_two_spellings_are_refused(table, tmp_path):
    def first(kind):
        return lambda f: f.assign(kind=[kind, *f.kind[1:]])

    refuse(table, tmp_path, first(None), "a kind of each mark wanted in the column 'kind', found")
    refuse(table, tmp_path, first("Ball"), "differ only in spaces or case: 'Ball', 'ball'")


def test_the_column_of_kinds_is_told_and_of_two_the_person_is_asked(table):
    place = table.parent / "two.csv"
    pd.read_csv(table).rename(columns={"kind": "type"}).to_csv(place, index=False)
    column, _, read = locate._read_scans(place, AS_FOUND, ())
    assert column == "type"
    assert any("'type' is read as the kind" in note for note in read.notes)
    pd.read_csv(table).assign(name="b").to_csv(place, index=False)
    with pytest.raises(CohortError, match="kind, name may each tell what is marked"):
        locate._read_scans(place, AS_FOUND, ())


@pytest.mark.parametrize("size", ["-3", "0", "inf", "8 mm"])
def test_a_diameter_that_is_none_is_refused(size, table, tmp_path):
    def sized(frame):
        return frame.assign(diameter_mm=[size, *["9.5"] * (len(frame) - 1)])

    refuse(table, tmp_path, sized, "a diameter_mm above 0 wanted")


def test_a_scan_of_two_patients_is_refused(table, tmp_path):
    def part(frame):
        return frame.assign(patient=[f"p{i}" for i in range(len(frame))])

    refuse(table, tmp_path, part, "one scan with patients")


def test_a_row_without_place_is_a_scan_without_targets(table):
    frame = pd.read_csv(table)
    empty = frame.index[frame.path == "0.nii"]
    frame.loc[empty, ["z_mm", "y_mm", "x_mm"]] = np.nan
    frame["path"] = [str(table.parent / path) for path in frame.path]
    frame.to_csv(table.parent / "some.csv", index=False)
    _, scans, _ = locate._read_scans(table.parent / "some.csv", KIND, ())
    assert [len(scan.targets) for scan in scans] == [0, 2, 1, 2, 1, 2]


def test_scans_keep_their_names_and_patients_as_their_folder_moves(table, tmp_path, monkeypatch):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    pd.read_csv(table).drop(columns="patient").to_csv(moved / "marks.csv", index=False)
    for path in table.parent.glob("*.nii"):
        (moved / path.name).symlink_to(path)
    _, scans, _ = locate._read_scans(moved / "marks.csv", KIND, ())
    names = [f"{number}.nii" for number in range(6)]
    assert [(scan.name, scan.patient) for scan in scans] == list(zip(names, names, strict=True))
    monkeypatch.chdir(moved)
    _, again, _ = locate._read_scans(Path("marks.csv"), KIND, ())
    assert [scan.name for scan in again] == names


def test_patients_and_sites_held_out_are_known_as_of_exams_that_are_classified(table):
    frame = pd.read_csv(table).drop(columns=["patient", "split"])
    frame["site"] = ["north" if path in ("2.nii", "3.nii") else "south" for path in frame.path]
    frame.to_csv(table.parent / "sites.csv", index=False)
    said = replace(KIND, patient_pattern=r"(\d)\.nii", hold_out="site=north", group="site")
    _, scans, read = locate._read_scans(table.parent / "sites.csv", said, ())
    assert [scan.split for scan in scans] == ["train"] * 2 + ["test"] * 2 + ["train"] * 2
    assert [scan.patient for scan in scans] == list("012345")
    assert [scan.group for scan in scans][1:3] == ["south", "north"]
    assert any("Held out for test" in note for note in read.notes)
    with pytest.raises(SettingError, match=r"a table of marks .* have no --kind, --tidy-labels"):
        locate._read_scans(table, Columns(kind="ranked", tidy_labels=True, exam="none"), ())
    with pytest.raises(SettingError, match="have no --mask"):
        locate._read_scans(table, Columns(mask="empty"), ())
    with pytest.raises(SettingError, match="one column of kinds wanted, found a, b"):
        locate._read_scans(table, Columns(label=("a", "b")), ())


def test_the_page_tells_what_was_taken_from_the_data(finder):
    page = unescape((finder.folder.path / "report.html").read_text(encoding="utf-8"))
    notes = finder.folder.facts["notes"]
    assert any("'patient'" in note for note in notes)
    assert all(note in page for note in notes)


def test_the_folder_tells_what_was_sought(finder):
    kept = open_folder(finder.folder.path).search
    assert kept.kinds == ("ball",)
    assert kept.prepare.spacing_mm == (2.0, 2.0, 2.0)
    assert kept == replace(kept)
    assert json.loads((finder.folder.path / "run.json").read_text())["state"] == "done"


def test_a_folder_that_holds_a_system_is_no_place_for_a_new_training(finder, table):
    folder = finder.folder.path
    before = sorted(path.name for path in folder.iterdir())
    said = ["train", str(table), "--task", "locate", "--label", "kind", "--out", str(folder)]
    refused = CliRunner().invoke(app, said)
    assert "a new run wants an empty folder, found a run" in str(refused.exception)
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("predict", "RUN", "a.nii", "--site", "north"), "--site and --images want a run that cl"),
        (("predict", "RUN", "a.nii", "--images", "."), "--site and --images want a run that cl"),
        (("train", "--resume", "RUN", "--minutes", "3"), "--minutes does not go with --resume of"),
        (("train", "--resume", "RUN", "--seed", "0"), "--seed, --find, .* do not go with --res"),
        (("train", "--resume", "RUN", "--find", "ball"), "--seed, --find, .* do not go with --res"),
        (("train", "--resume", "RUN", "--label", "kind"), "what columns mean do not go with --res"),
        (("train", "marks.csv", "--find", "ball"), "--find ball wants --task locate"),
    ],
)
def test_what_would_change_nothing_is_refused(finder, said, told):
    words = [str(finder.folder.path) if word == "RUN" else word for word in said]
    refused = CliRunner().invoke(app, words)
    assert isinstance(refused.exception, SettingError)
    assert re.search(told, str(refused.exception))


def test_what_only_classifiers_do_is_refused_in_a_line(finder):
    with pytest.raises(RunError, match=r"a run that classifies wanted, found one .* task locate"):
        load(finder.folder.path)
