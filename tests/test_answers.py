"""Bags, facts and marked points: trained from a table, and predicted from one."""

import csv
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import medclf
from medclf import answers
from medclf.answers import Answers
from medclf.core.image import Image
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate.cohort import Columns
from medclf.errors import CohortError, ReadError
from medclf.evaluate.calibrate import Calibration
from medclf.evaluate.threshold import Decision
from medclf.learn.committee import build_method
from medclf.learn.recipe import Recipe
from medclf.learn.run import Run
from medclf.learn.settings import Decide, Fit, Method, Net
from medclf.learn.trained import Trained
from medclf.prepare.exam import Prepare
from medclf.read.image import read_image
from medclf.read.write_nifti import write_nifti

RNG = np.random.default_rng(0)
FIT = Fit(epochs=1, members=2, batch=8, shift=0.0)


def write(folder, rows):
    with (folder / "exams.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder / "exams.csv"


def picture(path, bright):
    values = RNG.integers(0, 100, (28, 28)) + 100 * bright
    Pillow.fromarray(values.astype(np.uint8)).save(path)
    return path.name


def quick(cohort, method=""):
    """Plan, and keep of the plan what does not take long."""
    plan = medclf.plan(cohort, minutes=0.1, method=method)
    recipe = Recipe(
        plan.recipe.prepare,
        plan.recipe.augment,
        Net("sprint", {"width": 16}),
        FIT,
        Decide(resamples=20),
        method=plan.recipe.method,
        facts=plan.recipe.facts,
    )
    return plan, recipe


@pytest.fixture
def exams(tmp_path):
    rows = []
    for n in range(36):
        label, split = n % 2, ("train", "train", "val", "test")[n // 2 % 4]
        for view in ("front", "side")[: 1 + (n % 3 > 0)]:
            path = picture(tmp_path / f"{n}-{view}.png", label)
            age = "" if n == 5 else 50 + 10 * label + n % 4
            told = {"sex": "FM"[n % 2], "label": f"class {label}", "split": split}
            rows.append({"path": path, "exam": n, "view": view, "age": age, **told})
    return write(tmp_path, rows)


def test_a_bag_of_images_says_what_each_counted(exams, tmp_path):
    cohort = medclf.read_cohort(exams)
    plan, recipe = quick(cohort)
    assert plan.recipe.method.name == "exam_bag"
    assert plan.recipe.method.images == 2
    run = medclf.train(cohort, tmp_path / "run", recipe=recipe)
    found = {one.name: one for one in run.predict([exams])}
    assert len(found) == 36
    assert found["0"].views == ()
    assert [one.view for one in found["1"].views] == ["front", "side"]
    alone = run.predict([tmp_path / "1-side.png"])[0].probabilities
    moved = np.subtract(found["1"].probabilities, alone)
    assert found["1"].views[0].moved == pytest.approx(moved, abs=1e-5)
    again = medclf.load(tmp_path / "run").predict([tmp_path / "0-front.png"])
    assert again[0].probabilities == pytest.approx(found["0"].probabilities, abs=1e-5)
    assert found["0"].warnings == ("missing, though most training exams had it: side",)
    assert found["1"].warnings == ()
    views = [("front", "1-front.png"), ("side", "1-side.png"), ("oblique", "2-side.png")]
    new = write(tmp_path, [{"path": path, "exam": "x", "view": view} for view, path in views])
    (more,) = run.predict([new])
    assert [one.view for one in more.views] == ["front", "side", "oblique"]
    assert more.warnings == ()


def test_facts_are_used_and_what_is_strange_is_told(exams, tmp_path):
    cohort = medclf.read_cohort(exams)
    _, recipe = quick(cohort, "image_and_facts")
    assert recipe.facts.columns == ("age", "sex=F", "sex=M")
    run = medclf.train(cohort, tmp_path / "run", recipe=recipe)
    new = write(tmp_path, [{"path": "0-front.png", "exam": "x", "sex": "unknown", "age": ""}])
    (one,) = run.predict([new])
    assert one.warnings[:2] == ("not known: age", "sex is 'unknown', which training never saw")
    (bare,) = run.predict([tmp_path / "0-front.png"])
    assert bare.warnings[0] == "not known: age, sex"
    assert bare.probabilities == pytest.approx(one.probabilities, abs=1e-5)


@pytest.fixture
def untaught():
    """Members that judge volumes by planes turned at random, and have not learnt."""
    task = Task(("no", "yes"))
    recipe = Recipe(
        Prepare((16, 16, 16), 1),
        net=Net("sprint", {"width": 16}),
        fit=replace(FIT, precision="float32"),
        method=Method("random_views", {"in_use": 2}),
    )
    cpu, values = torch.device("cpu"), {"mean": [0.0], "deviation": [1.0], "range": [-9.0, 9.0]}
    members = [build_method(recipe, task, n, cpu, in_use=True).eval() for n in range(2)]
    return Trained(recipe, task, tuple(members), values, Calibration(), Decision((0.5,)), cpu)


def test_a_bad_file_changes_no_other_answer_and_nothing_is_read_twice(
    untaught, tmp_path, monkeypatch
):
    names, seen = ["a.nii", "bad.nii", "b.nii"], []
    for name in names:
        cube = Image(RNG.integers(0, 99, (1, 16, 16, 16), np.uint8))
        (tmp_path / name).write_bytes(write_nifti(cube))
    (tmp_path / "bad.nii").write_bytes(b"cut short")
    monkeypatch.setattr(answers, "read_image", lambda s: seen.append(s.path.name) or read_image(s))
    records = [Record(name, {"image": Source(tmp_path / name)}, name) for name in names]
    judge = Answers(Run(tmp_path, None, {"data": {}}), untaught, skip_unreadable=True)
    (found,) = judge.parts(records)
    assert seen == names
    assert [bool(one.probabilities) for one in found] == [True, False, True]
    assert found[1].warnings[0].startswith(str(tmp_path / "bad.nii"))
    assert [found[0], found[2]] == next(iter(judge.parts(records[::2])))
    assert not any(one.probabilities for one in next(iter(judge.parts(records[1:2]))))
    with pytest.raises(ReadError, match=r"bad\.nii"):
        list(replace(judge, skip_unreadable=False).parts(records))


def test_a_table_means_images_beside_it_and_never_those_of_the_training(tmp_path):
    old, new, other = (tmp_path / name for name in ("old", "new", "other"))
    for folder in (old, new, other):
        folder.mkdir()
        picture(folder / "0001.png", 0)
    said = asdict(Columns(images=str(old), series="thorax"))
    judge = Answers(Run(tmp_path, None, {"data": {"columns": said}}), None)
    table = write(new, [{"path": "0001.png"}])
    (beside,) = judge.list_exams([table], None)
    assert beside.source.path == new / "0001.png"
    (named,) = judge.list_exams([table], None, other)
    assert named.source.path == other / "0001.png"
    (new / "0001.png").unlink()
    picture(new / "0002.png", 0)
    both = write(new, [{"path": "0001.png"}, {"path": "0002.png"}])
    listed = replace(judge, skip_unreadable=True).list_exams([both], None)
    assert [one.name for one in listed] == ["0001.png", "0002.png"]
    write(new, [{"path": "0001.png"}])
    with pytest.raises(CohortError, match=r"missing: 0001.png; .* say --images FOLDER"):
        judge.list_exams([table], None)
    sheet = write(new, [{"accession": "A1"}])
    with pytest.raises(CohortError, match=r"no column is known to be the path.* by --images"):
        judge.list_exams([sheet], None)


def test_an_exam_of_a_table_without_an_image_is_answered_with_the_reason(tmp_path):
    judge = Answers(Run(tmp_path, None, {"data": {"columns": asdict(Columns())}}), None)
    picture(tmp_path / "0001.png", 0)
    rows = [("0001.png", "a"), ("", "a"), ("", "b"), ("", "")]
    table = write(tmp_path, [{"path": path, "exam": exam, "age": 50} for path, exam in rows])
    with pytest.raises(ReadError, match="row 4: no image of this exam"):
        judge.list_exams([table], None)
    notes = []
    judge = replace(judge, skip_unreadable=True, note=notes.append)
    seen, named, bare = judge.list_exams([table], None)
    assert (seen.name, named.name, bare.name) == ("a", "b", f"{table}: row 5")
    assert named.warnings == (f"{table}: row 4: no image of this exam",)
    assert (named.probabilities, bare.probabilities) == ((), ())
    assert "Left out: 3 rows without an image." in notes


def test_methods_say_what_they_need(exams):
    cohort = medclf.read_cohort(exams)
    with pytest.raises(CohortError, match=r"patch needs a marked point in each exam.*would do: wh"):
        medclf.plan(cohort, method="patch")
    with pytest.raises(CohortError, match="multi_view needs volumes"):
        medclf.plan(cohort, method="multi_view")
    with pytest.raises(CohortError, match="near_and_far needs exams of one image"):
        medclf.plan(cohort, method="near_and_far")


def test_marked_points_are_judged_each_by_itself(tmp_path):
    rows = []
    for n in range(12):
        values = RNG.integers(0, 80, (64, 64))
        values[10:20, 40:50] += 120
        Pillow.fromarray(values.astype(np.uint8)).save(tmp_path / f"{n}.png")
        split = ("train", "train", "val", "test")[n % 4]
        for label, place in (("nodule", (15, 45)), ("nothing", (45, 15))):
            at = {"point_y": place[0], "point_x": place[1]}
            rows.append({"path": f"{n}.png", "patient": n, "label": label, "split": split, **at})
    table = write(tmp_path, rows)
    cohort = medclf.read_cohort(table)
    assert len(cohort.records) == 24
    plan, recipe = quick(cohort)
    assert plan.recipe.method.name == "patch"
    assert plan.recipe.prepare.crop == "point"
    run = medclf.train(cohort, tmp_path / "run", recipe=recipe)
    found = run.predict([table])
    assert [one.name for one in found[:2]] == ["0.png at 15, 45 samples", "0.png at 45, 15 samples"]
    with pytest.raises(ReadError, match="a marked point wanted"):
        run.predict([tmp_path / "0.png"])


def test_masks_of_a_table_are_cut_out(tmp_path):
    rows = []
    for n in range(16):
        values, mask = RNG.integers(0, 80, (64, 64)), np.zeros((64, 64))
        values[8:24, 34:50] += 100 * (n % 2)
        mask[8:24, 34:50] = 255
        for name, image in (("scan", values), ("mask", mask)):
            Pillow.fromarray(image.astype(np.uint8)).save(tmp_path / f"{n}-{name}.png")
        split = ("train", "train", "val", "test")[n // 2 % 4]
        told = {"label": f"class {n % 2}", "split": split, "outline": f"{n}-mask.png"}
        rows.append({"path": f"{n}-scan.png", **told})
    table, columns = write(tmp_path, rows), Columns(mask="outline")
    plan, recipe = quick(medclf.read_cohort(table, mask="outline"))
    assert plan.recipe.prepare.crop == "mask"
    run = medclf.train(table, tmp_path / "run", recipe=recipe, columns=columns)
    assert len(run.predict([tmp_path / "exams.csv"])) == 16
    (tmp_path / "3-mask.png").unlink()
    with pytest.raises(CohortError, match=r"exams.csv: row 5: the mask 3-mask.png is missing"):
        medclf.read_cohort(tmp_path / "exams.csv", mask="outline")
