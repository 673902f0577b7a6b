import csv
import math
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import medclf
from medclf import answers, verbs
from medclf.errors import CohortError, ReadError, RunError, SettingError
from medclf.learn.recipe import format_recipe, read_recipe
from medclf.learn.run import read_splits


def write_pictures(folder, count=60, size=16, split=True, seed=0):
    """Pictures of two classes: bright above, or bright below."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        name = "above" if i % 2 else "below"
        part = ("train", "val", "test")[min(i // (count // 3), 2)] if split else ""
        values = rng.integers(0, 100, (size, size)).astype(np.uint8)
        half = slice(0, size // 2) if i % 2 else slice(size // 2, size)
        values[half] += 120
        place = folder / part / name
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(place / f"{i:03d}.png")
    return folder


def quick(cohort, **fit):
    """The plan's own recipe, cut short."""
    from dataclasses import replace

    recipe = verbs.plan(cohort, 0.2).recipe
    settings = {"members": 2, "folds": 2, "epochs": 4, "batch": 8, "mirror": "no", **fit}
    return replace(recipe, fit=replace(recipe.fit, **settings))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verbs")
    data = write_pictures(folder / "pictures")
    cohort = medclf.read_cohort(data)
    run = medclf.train(data, folder / "run", recipe=quick(cohort))
    return data, run


def test_a_run_is_trained_measured_and_told(trained):
    _, run = trained
    assert run.scores["auc"]["value"] > 0.9
    assert run.scores["n_exams"] == 20
    page = (run.run.folder / "report.html").read_text()
    assert "<svg" in page
    assert "AUC" in page


def test_a_run_loads_and_predicts_files(trained):
    data, run = trained
    loaded = medclf.load(run.run.folder)
    files = sorted((data / "test" / "above").glob("*.png"))[:3]
    answers = loaded.predict(files)
    assert [answer.name for answer in answers] == [str(file) for file in files]
    assert all(math.isclose(sum(a.probabilities), 1) for a in answers)
    assert answers == run.predict(files)


def test_evaluating_again_gives_the_same_scores(trained):
    data, run = trained
    again = run.evaluate(data).to_json()
    assert again["auc"] == run.scores["auc"]
    assert again["accuracy"] == run.scores["accuracy"]


def test_other_data_are_measured_whole_in_the_classes_of_the_run(trained, tmp_path):
    _, run = trained
    other = write_pictures(tmp_path / "other", 20, split=False, seed=1)
    rows = [f"{path},{path.parent.name}" for path in sorted(other.rglob("*.png"))]
    (tmp_path / "other.csv").write_text("\n".join(["path,label", *rows]))
    turned = medclf.read_cohort(tmp_path / "other.csv", classes=("below", "above"))
    assert turned.task.classes == run.run.task.classes[::-1]
    for data in (other, turned):
        scores = run.evaluate(data)
        assert scores.exams == 20
        assert scores.figures["auc"].value > 0.9
    (other / "above").rename(other / "strange")
    with pytest.raises(CohortError, match="strange"):
        run.evaluate(other)


def test_folders_are_named_by_text_too(trained, tmp_path):
    data, run = trained
    files = sorted((data / "test").rglob("*.png"))
    rows = [f"{path.relative_to(data)},{path.parent.name}" for path in files]
    table = tmp_path / "exams.csv"
    table.write_text("\n".join(["path,label", *rows]))
    cohort = medclf.read_cohort(str(table), images=str(data), label="label")
    assert [record.source.path for record in cohort.records] == files
    answers = run.predict([str(table)], images=str(data))
    assert [one.probabilities for one in answers] == [
        one.probabilities for one in run.predict(files)
    ]


def test_an_image_of_other_channels_is_refused_by_name(trained, tmp_path):
    colour = np.random.default_rng(0).integers(0, 255, (16, 16, 3)).astype(np.uint8)
    Image.fromarray(colour).save(tmp_path / "colour.png")
    with pytest.raises(ReadError, match=r"colour\.png"):
        trained[1].predict([tmp_path / "colour.png"])


def test_an_image_unlike_training_is_predicted_with_a_warning(trained, tmp_path):
    Image.fromarray(np.full((16, 16), 255, np.uint8)).save(tmp_path / "white.png")
    (answer,) = trained[1].predict([tmp_path / "white.png"])
    assert "outside" in answer.warnings[0]


def test_one_unreadable_image_stops_training_or_is_left_out(tmp_path):
    data = write_pictures(tmp_path / "pictures", 60)
    bad = next((data / "train" / "above").glob("*.png"))
    bad.write_bytes(bad.read_bytes()[:60])
    recipe = quick(medclf.read_cohort(write_pictures(tmp_path / "whole", 60)))
    with pytest.raises(ReadError, match=bad.name):
        medclf.train(data, tmp_path / "run", recipe=recipe)
    assert not (tmp_path / "run").exists()
    run = medclf.train(data, tmp_path / "run", recipe=recipe, skip_unreadable=True)
    assert bad.name in (run.run.folder / "report.html").read_text()


def test_a_run_cut_short_resumes_and_ends_as_undisturbed(tmp_path):
    data = write_pictures(tmp_path / "pictures", 60)
    recipe = quick(medclf.read_cohort(data))
    whole = medclf.train(data, tmp_path / "whole", recipe=recipe)

    def interrupt(progress):
        if progress.done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        medclf.train(data, tmp_path / "cut", recipe=recipe, watch=verbs.Watch(tell=interrupt))
    with pytest.raises(RunError, match="resume"):
        medclf.load(tmp_path / "cut")
    resumed = verbs.resume(tmp_path / "cut")
    assert resumed.run.weights.read_bytes() == whole.run.weights.read_bytes()
    with pytest.raises(RunError, match="nothing to resume"):
        verbs.resume(tmp_path / "cut")


def test_changed_images_are_not_resumed_upon(tmp_path):
    data = write_pictures(tmp_path / "pictures", 60)
    recipe = quick(medclf.read_cohort(data))

    def interrupt(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        medclf.train(data, tmp_path / "run", recipe=recipe, watch=verbs.Watch(tell=interrupt))
    changed = next((data / "train" / "above").glob("*.png"))
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(changed)
    with pytest.raises(RunError, match="images have changed"):
        verbs.resume(tmp_path / "run")


def write_two_labels(folder, count=60):
    """Pictures with a column of their classes, `shape`, and a usual one that says the opposite."""
    files = sorted(write_pictures(folder / "pictures", count, split=False).rglob("*.png"))
    other = {"above": "below", "below": "above"}
    with (folder / "two.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "shape", "patient"])
        for number, path in enumerate(files):
            shape = path.parent.name
            writer.writerow([path, other[shape], shape, f"p{number}"])
    return folder / "two.csv"


def test_what_was_said_of_a_cohort_holds_for_its_run(tmp_path):
    table = write_two_labels(tmp_path)
    cohort = medclf.read_cohort(table, label="shape", patient="patient")
    run = medclf.train(cohort, tmp_path / "run", recipe=quick(cohort, epochs=1))
    kept = run.run.facts["data"]["columns"]
    assert (kept["label"], kept["patient"], kept["kind"]) == ("shape", "patient", None)
    assert "--label shape --patient patient" in (run.run.folder / "report.html").read_text()
    by_path, by_cohort = run.judge(table), run.judge(cohort)
    assert by_path.target.tolist() == by_cohort.target.tolist()


def test_a_run_does_not_go_on_with_other_labels(tmp_path):
    table = write_two_labels(tmp_path)
    cohort = medclf.read_cohort(table, label="shape")

    def interrupt(progress):
        raise KeyboardInterrupt

    recipe = quick(cohort, epochs=1)
    with pytest.raises(KeyboardInterrupt):
        medclf.train(cohort, tmp_path / "run", recipe=recipe, watch=verbs.Watch(tell=interrupt))
    with pytest.raises(RunError, match="the labels and patients that"):
        verbs.resume(tmp_path / "run", medclf.read_cohort(table))
    begun = table.read_text()
    for this, other in (("above,p7\n", "below,p7\n"), ("p7\n", "p8\n")):
        table.write_text(begun.replace(this, other))
        with pytest.raises(RunError, match="the table has changed, or other columns are read"):
            verbs.resume(tmp_path / "run")
    table.write_text(begun)
    run = verbs.resume(tmp_path / "run")
    assert run.judge(table).target.tolist() == run.judge(cohort).target.tolist()


def test_patients_leave_no_name_in_the_run(tmp_path):
    data = write_pictures(tmp_path / "pictures", 60, split=False)
    files = sorted(data.rglob("*.png"))
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "patient", "age"])
        for i, path in enumerate(files):
            writer.writerow([path, path.parent.name, f"Doe{i // 2:03d}^Jane", 30 + i])
    cohort = medclf.read_cohort(tmp_path / "table.csv")
    run = medclf.train(tmp_path / "table.csv", tmp_path / "run", recipe=quick(cohort))
    for path in run.run.folder.rglob("*"):
        if path.is_file():
            assert b"Jane" not in path.read_bytes(), f"{path.name} names a patient"
    assert run.scores["n_patients"] < run.scores["n_exams"]
    assert "age" in run.scores["subgroups"]


def test_the_plan_is_a_recipe_that_train_takes(tmp_path):
    data = write_pictures(tmp_path / "pictures", 60)
    found = medclf.plan(medclf.read_cohort(data), minutes=0.1)
    path = tmp_path / "recipe.toml"
    path.write_text(found.to_toml())
    assert read_recipe(path) == found.recipe
    assert format_recipe(found.recipe) != found.to_toml()
    assert found.recipe.prepare.size == (16, 16)
    assert found.reasons["prepare.size"] == "all images are 16 x 16: kept"
    assert "size = [16, 16]  # all images are 16 x 16: kept" in found.to_toml()


def test_images_that_were_learnt_from_are_known_under_any_name(tmp_path):
    data = write_pictures(tmp_path / "pictures", 60, split=False)
    run = medclf.train(data, tmp_path / "run", recipe=quick(medclf.read_cohort(data)))
    moved = data.rename(tmp_path / "moved")
    for path in sorted(moved.rglob("*.png")):
        path.rename(path.with_stem(f"renamed-{path.stem}"))
    judged = run.judge(moved)
    assert len(judged) == run.scores["n_exams"]
    assert run.measure(judged).figures["auc"].value == run.scores["auc"]["value"]
    learnt = tmp_path / "learnt"
    (learnt / "above").mkdir(parents=True)
    (learnt / "below").mkdir()
    splits = read_splits(run.run.folder)
    for name, split in splits.items():
        if split == "train":
            old = moved / Path(name).parent / f"renamed-{Path(name).name}"
            old.rename(learnt / Path(name).parent.name / Path(name).name)
    with pytest.raises(CohortError, match="learnt from all"):
        run.judge(learnt)


def test_copies_of_an_image_stand_in_one_split(tmp_path):
    data = write_pictures(tmp_path / "pictures", 60, split=False)
    copied = sorted((data / "above").glob("*.png"))[:8]
    for path in copied:
        shutil.copy(path, path.with_stem(f"copy-{path.stem}"))
    run = medclf.train(data, tmp_path / "run", recipe=quick(medclf.read_cohort(data)))
    splits = read_splits(run.run.folder)
    stems = {Path(name).name: split for name, split in splits.items()}
    assert all(stems[path.name] == stems[f"copy-{path.name}"] for path in copied)
    assert any("an image that another has too" in note for note in run.run.facts["notes"])


@pytest.mark.parametrize("minutes", [0, -1.0, math.inf, math.nan])
def test_a_budget_that_is_none_is_refused(trained, tmp_path, minutes):
    data, run = trained
    for start in (
        lambda: medclf.train(data, tmp_path / "run", minutes),
        lambda: medclf.plan(medclf.read_cohort(data), minutes),
        lambda: verbs.resume(run.run.folder, minutes=minutes),
    ):
        with pytest.raises(SettingError, match="a budget of some minutes wanted, found"):
            start()
    assert not (tmp_path / "run").exists()


def test_many_files_are_predicted_a_few_at_a_time(trained, monkeypatch):
    data, run = trained
    files, steps = sorted(data.rglob("*.png")), []
    at_once = run.predict(files)
    monkeypatch.setattr(answers, "AT_ONCE", 25)
    watch = verbs.Watch(count=lambda done, total: steps.append((done, total)))
    assert [one.name for one in run.predict(files, watch)] == [one.name for one in at_once]
    assert steps == [(25, 60), (50, 60), (60, 60)]
    assert run.predict([]) == []


def test_a_test_split_of_others_is_not_judged_on_what_was_learnt(trained, tmp_path):
    data, run = trained
    other = tmp_path / "other"
    shutil.copytree(data, other)
    for file in sorted((other / "train").rglob("*.png"))[:7]:
        file.rename(other / "test" / file.parent.name / f"moved-{file.name}")
    found = run.evaluate(other)
    assert found.exams == 20
    assert "7 exams left out, which the run learnt from" in found.notes
    assert found.figures["auc"].value == run.scores["auc"]["value"]


def test_ten_patients_are_planned_for_and_trained_on(tmp_path):
    data = write_pictures(tmp_path / "pictures", 20, split=False)
    for file in sorted((data / "above").glob("*.png"))[3:]:
        file.unlink()
    cohort = medclf.read_cohort(data)
    plan = medclf.plan(cohort, 0.01)
    assert (plan.recipe.fit.folds, plan.recipe.fit.members) == (2, 2)
    assert plan.reasons["fit.folds"] == "no more folds than above has patients, who are 2"
    run = medclf.train(cohort, tmp_path / "run", 0.01)
    assert run.scores["n_exams"] == 3


def test_names_that_are_not_utf8(tmp_path):
    data = write_pictures(tmp_path / "pictures")
    for file in sorted(data.rglob("*.png")):
        file.rename(file.with_name("\udcff" + file.name))
    run = medclf.train(data, tmp_path / "run", recipe=quick(medclf.read_cohort(data)))
    assert run.evaluate(data).to_json()["auc"] == run.scores["auc"]
    names = read_splits(tmp_path / "run")
    assert all(os.fsencode(name)[-8:-7] == b"\xff" for name in names)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"seed": 1.5}, "a seed is a whole number from 0 .*, found 1.5"),
        ({"seed": 2**64}, "a seed is a whole number"),
        ({"minutes": "2"}, "a budget of some minutes wanted, found '2'"),
        (
            {"recipe": "recipe.toml"},
            "a recipe or a plan wanted, found 'recipe.toml'; .*read_recipe",
        ),
    ],
)
def test_what_python_says_wrongly_is_told_in_one_line(tmp_path, wrong, told):
    with pytest.raises(SettingError, match=told):
        verbs.train(write_pictures(tmp_path / "data", 6), tmp_path / "run", **wrong)
    assert not (tmp_path / "run").exists()


def test_numbers_of_numpy_and_lists_of_names_serve(tmp_path):
    data = write_pictures(tmp_path / "data")
    cohort = verbs.read_cohort(data, classes=["below", "above"])
    assert cohort.task.classes == ("below", "above")
    recipe = quick(cohort, epochs=np.int64(1), rate=np.float64(0.01))
    verbs.train(cohort, tmp_path / "run", np.float32(0.5), np.int64(3), recipe)
    kept = verbs.load(tmp_path / "run").run
    assert (kept.recipe.fit.epochs, kept.recipe.fit.rate, kept.recipe.fit.seed) == (1, 0.01, 3)
    assert kept.facts["minutes"] == 0.5
