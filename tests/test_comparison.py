import csv
import html
import json
import re
import shlex
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import medclf
from medclf.cli.main import app
from medclf.comparison import Spectator
from medclf.contest.folder import open_contest
from medclf.contest.outcome import Outcome
from medclf.contest.work import attempt
from medclf.curate.cohort import Columns
from medclf.errors import CohortError, ReadError, RunError, SettingError
from medclf.evaluate.table import read_predictions
from medclf.learn.recipe import Recipe
from medclf.learn.run import open_run
from medclf.learn.settings import Decide, Fit, Net
from medclf.net.cost import measure_cost
from medclf.prepare.exam import Prepare

PAIR = ["sprint", "lenet5"]


def write_exams(folder, classes=2, count=72, split=True, dims=2):
    """Pictures or volumes of a few classes, each bright in a part of its own."""
    rng = np.random.default_rng(0)
    for i in range(count):
        part = ("train", "train", "val", "test")[i * 4 // count] if split else ""
        values = rng.integers(0, 100, (16,) * dims).astype(np.uint8)
        values[5 * (i % classes) : 5 * (i % classes) + 5] += 120
        place = folder / part / "abc"[i % classes]
        place.mkdir(parents=True, exist_ok=True)
        if dims == 2:
            Image.fromarray(values).save(place / f"{i:03d}.png")
        else:
            np.save(place / f"{i:03d}.npy", values)
    return folder


def quick(dims=2, **fit):
    """A recipe that trains in a second."""
    settings = {"epochs": 2, "batch": 16, **fit}
    prepare = Prepare((16,) * dims, 1)
    net = Net("sprint", {"width": 16})
    return Recipe(prepare, net=net, fit=Fit(**settings), decide=Decide(resamples=100))


@pytest.fixture
def here(monkeypatch):
    """Let entries work in this process, and list them by their folders' names."""
    worked = []

    def work(job, tell=None):
        worked.append(job.folder.name)
        return attempt(job)

    monkeypatch.setattr("medclf.comparison.work_apart", work)
    monkeypatch.setattr("medclf.contest.gauge.MOST_SECONDS", 0.01)
    return worked


def test_every_entry_stands_in_the_table_the_page_and_the_files(tmp_path, here):
    data = write_exams(tmp_path / "pictures")
    told = []
    watch = Spectator(end=lambda name, outcome: told.append((name, outcome.done)))
    found = medclf.compare(data, tmp_path / "out", PAIR, recipe=quick(), watch=watch)
    assert here == ["pca", "hog", *PAIR]
    assert told == [(name, True) for name in here]
    rows = {row["entry"]: row for row in found.table}
    assert set(rows) == {"pca", "hog", *PAIR}
    assert [row["auc"] for row in found.table] == sorted(r["auc"] for r in found.table)[::-1]
    assert rows["sprint"]["weights"] > 10_000
    assert rows["pca"]["weights"] is None
    assert rows["sprint"]["epochs"] == 2
    assert all(row["latency_ms"] > 0 and row["memory_mb"] > 0 for row in found.table)
    with (tmp_path / "out" / "table.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    assert [row["entry"] for row in listed] == [row["entry"] for row in found.table]
    kept = json.loads((tmp_path / "out" / "table.json").read_text())
    assert kept == json.loads(json.dumps(found.to_json()))
    assert (kept["test"], kept["judged_on"]) == ("DeLong", "test")
    page = found.page.read_text()
    assert "PCA" not in page
    assert all(name in page for name in rows)


def test_all_entries_are_judged_on_the_same_exams_and_are_runs(tmp_path, here):
    data = write_exams(tmp_path / "pictures")
    keen = replace(quick(), decide=Decide(resamples=100, sensitivity=0.9))
    found = medclf.compare(data, tmp_path / "out", ["sprint"], recipe=keen)
    assert {row.result.scores.decision.sensitivity for row in found.standings} == {0.9}
    judged = [set(row.result.predictions.exams.tolist()) for row in found.standings]
    assert all(exams == judged[0] for exams in judged)
    assert len(judged[0]) == 18
    run = medclf.load(tmp_path / "out" / "sprint")
    assert run.scores["auc"] == json.loads(json.dumps(run.evaluate(data).to_json()))["auc"]


def test_what_is_done_is_kept_and_networks_may_be_added(tmp_path, here):
    data = write_exams(tmp_path / "pictures")
    first = medclf.compare(data, tmp_path / "out", ["sprint"], recipe=quick())
    weights = (tmp_path / "out" / "sprint" / "weights.safetensors").stat().st_mtime_ns
    here.clear()
    again = medclf.compare(data, tmp_path / "out")
    assert here == []
    assert again.table == first.table
    more = medclf.compare(data, tmp_path / "out", ["lenet5"])
    assert here == ["lenet5"]
    assert {row["entry"] for row in more.table} == {"pca", "hog", *PAIR}
    assert (tmp_path / "out" / "sprint" / "weights.safetensors").stat().st_mtime_ns == weights


def test_methods_compete_too_and_those_that_the_exams_cannot_serve_are_listed(tmp_path, here):
    data, out = write_exams(tmp_path / "volumes", dims=3), tmp_path / "out"
    found = medclf.compare(data, out, recipe=quick(3), methods=["three_planes", "patch"])
    assert here == ["pca", "hog", "three_planes"]
    assert found.contest.unserved.keys() == {"patch"}
    rows = {row["entry"]: row for row in found.table}
    assert set(rows) == set(here)
    assert rows["three_planes"]["family"] == "Method"
    run = medclf.load(out / "three_planes")
    (member,) = run.trained.members
    assert rows["three_planes"]["weights"] == sum(p.numel() for p in member.parameters())
    one = measure_cost(member.network.body, 1, (16, 16)).multiply_adds
    assert 3 * one < rows["three_planes"]["multiply_adds"] < 3.1 * one
    page = found.page.read_text()
    assert "1 method compared" in page
    assert "Not for these exams" in page
    assert "--methods three_planes,patch" in page
    assert "a marked point" in found.to_json()["unserved"]["patch"]
    here.clear()
    more = medclf.compare(data, out, ["sprint"], methods=["volume"])
    assert here == ["sprint", "volume"]
    assert {"three_planes", "sprint", "volume"} <= {row["entry"] for row in more.table}
    assert "patch" in more.contest.unserved


def test_methods_read_the_facts_of_the_table(tmp_path, here):
    data = write_exams(tmp_path / "pictures", split=False)
    paths = sorted(data.rglob("*.png"))
    lines = [f"{p.relative_to(data)},{p.parent.name},{40 + n}" for n, p in enumerate(paths)]
    (data / "exams.csv").write_text("\n".join(["path,label,age", *lines]))
    methods = ["image_and_facts", "multi_view"]
    found = medclf.compare(data, tmp_path / "out", recipe=quick(), methods=methods)
    assert not found.failures
    recipe = medclf.load(tmp_path / "out" / "image_and_facts").trained.recipe
    assert recipe.facts.numbers == ("age",)
    table = data / "exams.csv"
    table.write_text(table.read_text().replace(",41\n", ",14\n"))
    (tmp_path / "out" / "outcomes.json").unlink()
    found = medclf.compare(data, tmp_path / "out", recipe=quick(), methods=methods)
    assert "the facts (age) that" in found.failures[0].reason
    with pytest.raises(CohortError, match="no method can serve these exams: multi_view needs vol"):
        medclf.compare(data, tmp_path / "new", recipe=quick(), methods=["multi_view"])


def test_networks_may_start_from_published_weights(tmp_path, here, monkeypatch):
    monkeypatch.setenv("MEDCLF_OFFLINE", "1")
    data = write_exams(tmp_path / "pictures")
    names = ["efficientnet_lite0", "resnet18"]
    found = medclf.compare(data, tmp_path / "out", names, minutes=1, pretrained=True)
    rows = {row["entry"]: row for row in found.table}
    assert rows["efficientnet_lite0"]["failure"] == ""
    assert "MEDCLF_OFFLINE" in rows["resnet18"]["failure"]  # It alone comes to nothing.
    recipe = medclf.load(tmp_path / "out" / "efficientnet_lite0").trained.recipe
    assert (recipe.net.pretrained, recipe.transfer.learn) == ("imagenet", "head")
    page = found.page.read_text()
    assert "the weights that are published for each network" in page
    assert "--pretrained" in page
    here.clear()
    medclf.compare(data, tmp_path / "out", pretrained=True)
    assert here == ["resnet18"]
    with pytest.raises(SettingError, match="not also pretrained"):
        medclf.compare(data, tmp_path / "out", recipe=quick(), pretrained=True)


def test_an_entry_cut_short_goes_on_and_ends_as_undisturbed(tmp_path, here, monkeypatch):
    data, recipe = write_exams(tmp_path / "pictures"), quick(epochs=4)
    whole = medclf.compare(data, tmp_path / "whole", ["sprint"], recipe=recipe)

    def cut(job, tell=None):
        if job.folder.name != "sprint":
            return attempt(job)

        def interrupt(step):
            if step.done == 2:
                raise KeyboardInterrupt

        return job.run(interrupt)

    with monkeypatch.context() as patch:
        patch.setattr("medclf.comparison.work_apart", cut)
        with pytest.raises(KeyboardInterrupt):
            medclf.compare(data, tmp_path / "cut", ["sprint"], recipe=recipe)
    assert not open_run(tmp_path / "cut" / "sprint").done
    here.clear()
    found = medclf.compare(data, tmp_path / "cut", ["sprint"], recipe=recipe)  # the same command
    assert here == ["sprint"]
    one, other = (
        (f / "sprint" / "weights.safetensors") for f in (tmp_path / "whole", tmp_path / "cut")
    )
    assert one.read_bytes() == other.read_bytes()
    assert found.standings[0].figure("auc") == whole.standings[0].figure("auc")


def test_one_failing_entry_does_not_end_the_others(tmp_path, here):
    data = write_exams(tmp_path / "pictures")
    names = ["timm:there-is-none", "sprint"]
    found = medclf.compare(data, tmp_path / "out", names, recipe=quick())
    (failed,) = found.failures
    assert failed.name == "timm:there-is-none"
    assert {row.result.name for row in found.standings} == {"pca", "hog", "sprint"}
    last = found.table[-1]
    assert (last["entry"], last["failure"], last["auc"]) == (failed.name, failed.reason, None)
    assert "timm:there-is-none came to nothing" in found.page.read_text()


def test_a_failed_entry_is_tried_again(tmp_path, here, monkeypatch):
    data = write_exams(tmp_path / "pictures")
    with monkeypatch.context() as patch:
        patch.setattr(
            "medclf.comparison.work_apart",
            lambda job, tell=None: (
                attempt(job)
                if job.folder.name == "pca"
                else Outcome(reason="its process was ended")
            ),
        )
        found = medclf.compare(data, tmp_path / "out", ["sprint"], recipe=quick())
    assert [failure.name for failure in found.failures] == ["hog", "sprint"]
    found = medclf.compare(data, tmp_path / "out")
    assert here == ["hog", "sprint"]
    assert not found.failures


def test_where_nothing_comes_to_its_end_it_is_an_error(tmp_path, monkeypatch):
    data = write_exams(tmp_path / "pictures")
    monkeypatch.setattr("medclf.comparison.work_apart", lambda job, tell: Outcome(reason="no luck"))
    with pytest.raises(RunError, match="no entry came to its end; pca: no luck"):
        medclf.compare(data, tmp_path / "out", ["sprint"], recipe=quick())


@pytest.mark.parametrize(("classes", "dims"), [(3, 2), (2, 3)])
def test_folds_leave_the_test_split_shut(tmp_path, here, classes, dims):
    data = write_exams(tmp_path / "exams", classes, dims=dims)
    found = medclf.compare(data, tmp_path / "out", ["sprint"], folds=3, recipe=quick(dims))
    assert not found.failures
    assert len(found.standings) == 3
    for name in ("pca", "sprint"):
        judged = read_predictions(tmp_path / "out" / name / "predictions.csv", found.contest.task)
        assert set(judged.splits) == {"val"}
        assert len(judged) == 54
        assert not [exam for exam in judged.exams if "test" in exam]
    assert "18 test exams stayed shut" in found.page.read_text()
    assert found.to_json()["test"] == ("DeLong" if classes == 2 else "paired bootstrap")
    assert found.contest.recipe.fit.members == 3


def test_a_plan_is_made_once_for_all_and_mirrors_are_tried_once(tmp_path, here):
    data = write_exams(tmp_path / "pictures", split=False)
    found = medclf.compare(data, tmp_path / "out", PAIR, minutes=0.02)
    common = found.contest.recipe
    assert (common.fit.members, common.fit.shift, common.fit.mirror) == (1, 0.0, "no")
    assert "augment.mirror" in found.contest.facts["reasons"]
    for name in PAIR:
        recipe = open_run(tmp_path / "out" / name).recipe
        assert (recipe.prepare, recipe.augment) == (common.prepare, common.augment)
        assert recipe.fit.epochs > 0
        assert recipe.fit.members == 1


def test_images_that_cannot_be_read_may_be_left_out_of_all_entries(tmp_path, here):
    data = write_exams(tmp_path / "pictures")
    broken = next((data / "train").rglob("*.png"))
    broken.write_bytes(broken.read_bytes()[:40])
    asked = {"nets": ["lenet5"], "recipe": quick()}
    with pytest.raises(ReadError, match=r"1 of 72 images cannot be read.*--skip-unreadable"):
        medclf.compare(data, tmp_path / "out", **asked)
    found = medclf.compare(data, tmp_path / "out", **asked, skip_unreadable=True)
    assert [failure.name for failure in found.failures] == []
    assert {row["entry"] for row in found.table} == {"pca", "hog", "lenet5"}
    with (tmp_path / "out" / "exams.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 71
    again = medclf.compare(data, tmp_path / "out", ["lenet5", "sprint"])
    assert {row["entry"] for row in again.table} == {"pca", "hog", *PAIR}


def test_the_command_on_the_page_makes_the_same_comparison_again(tmp_path, here, monkeypatch):
    data = write_exams(tmp_path / "pictures", split=False)
    paths = sorted(data.rglob("*.png"))
    lines = [f"{p.relative_to(data)},x,{'no' if n % 2 else 'yes'}" for n, p in enumerate(paths)]
    (data / "exams.csv").write_text("\n".join(["path,label,other", *lines]))
    paths[0].write_bytes(paths[0].read_bytes()[:40])
    columns = Columns(label="other")
    asked = {"recipe": quick(), "columns": columns, "skip_unreadable": True}
    found = medclf.compare(data, tmp_path / "out", ["sprint"], folds=3, **asked)
    command = re.search(r"medclf compare [^<]+", html.unescape(found.page.read_text()))
    words = shlex.split(command.group())[1:]
    assert words[words.index("--label") + 1] == "other"
    assert "--skip-unreadable" in words
    monkeypatch.chdir(tmp_path)
    app(words, standalone_mode=False)
    first, again = (open_contest(tmp_path / name) for name in ("out", "again"))
    assert again.recipe == first.recipe
    for key in ("task", "networks", "minutes", "folds", "seed", "data"):
        assert again.facts[key] == first.facts[key], key
    lately = json.loads((tmp_path / "again" / "table.json").read_text())["entries"]
    for row, entry in zip(found.table, lately, strict=True):
        assert (row["entry"], row["auc"]) == (entry["entry"], entry["auc"])


def test_what_cannot_serve_is_refused_and_leaves_nothing(tmp_path, here):
    data, out = write_exams(tmp_path / "pictures"), tmp_path / "new" / "out"
    with pytest.raises(SettingError, match=r"resnet1.*did you mean"):
        medclf.compare(tmp_path / "absent", out, ["resnet1"])
    with pytest.raises(SettingError, match="3 or more"):
        medclf.compare(data, out, PAIR, folds=2)
    with pytest.raises(CohortError, match="folds"):
        medclf.compare(data, out, PAIR, folds=40, recipe=quick())
    (data / "notes").mkdir()
    (data / "notes" / "a.txt").touch()
    with pytest.raises(RunError, match="empty folder or its own"):
        medclf.compare(data, data, PAIR)
    assert not (tmp_path / "new").exists()
    assert here == []


def test_other_terms_or_changed_images_are_refused(tmp_path, here):
    data, out = write_exams(tmp_path / "pictures"), tmp_path / "out"
    medclf.compare(data, out, ["sprint"], seed=1, recipe=quick())
    with pytest.raises(RunError, match="begun with seed 1, not 2"):
        medclf.compare(data, out, seed=2)
    with pytest.raises(RunError, match="another recipe, not the one that is given"):
        medclf.compare(data, out, recipe=quick(epochs=3))
    changed = next((data / "train" / "a").glob("*.png"))
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(changed)
    with pytest.raises(RunError, match="images have changed"):
        medclf.compare(data, out)


def test_copies_of_an_image_count_as_one_patient_before_and_after(tmp_path, here):
    data = write_exams(tmp_path / "pictures", split=False)
    for path in sorted((data / "a").glob("*.png"))[:6]:
        path.with_stem(f"copy-{path.stem}").write_bytes(path.read_bytes())
    medclf.compare(data, tmp_path / "out", ["sprint"], recipe=quick())
    found = medclf.compare(data, tmp_path / "out", ["lenet5"])
    patients = [row.result.predictions.patients for row in found.standings]
    assert all(set(p) == set(patients[0]) for p in patients)
    assert len(found.standings) == 4


def test_a_budget_too_small_for_every_fold_is_told_and_tried_again(tmp_path, here, monkeypatch):
    data = write_exams(tmp_path / "pictures")
    asked = {"nets": ["sprint"], "folds": 4, "recipe": quick()}
    with monkeypatch.context() as patch:
        patch.setattr("medclf.learn.keep.Keeper.in_time", lambda keeper, seconds=0.0: False)
        found = medclf.compare(data, tmp_path / "out", **asked)
    (failed,) = found.failures
    assert "of 4 folds" in failed.reason
    here.clear()
    again = medclf.compare(data, tmp_path / "out", **asked)
    assert (here, again.failures) == (["sprint"], ())
    assert open_run(tmp_path / "out" / "sprint").recipe.fit.members == 4
